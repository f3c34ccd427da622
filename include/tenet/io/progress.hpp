// SPDX-License-Identifier: MIT
// io: a progress line on standard error: a bar redrawn in place on a terminal, a plain line every ten seconds in a
// log file. It never throws and never slows a step: most updates only look at the clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace tenet {

/// Shows how far a loop of known length has come, with elapsed and remaining time.
///
/// `progress bar(2000); for (...) bar.update(step + 1, "loss 1.88  65k tokens/s"); bar.finish();`
/// prints e.g. `[########------]  58%  1160/2000  loss 1.88  65k tokens/s  1:02 < 0:45`.
/// The remaining time is estimated from the steps done since construction, so that a resumed run starts with
/// `progress(total, first_step)`. Errors of the stream are ignored. Cost: a clock read when nothing is due.
class progress {
public:
    using clock = std::chrono::steady_clock;

    explicit progress(std::size_t total, std::size_t first = 0, std::FILE* stream = stderr) noexcept
        : stream_(stream), total_(total), first_(first), done_(first), terminal_(::isatty(::fileno(stream)) == 1) {}
    progress(progress const&) = delete;
    progress& operator=(progress const&) = delete;
    ~progress() { finish(); }

    /// Reports that `done` steps are over; `text` is the caller's own part of the line.
    void update(std::size_t done, std::string_view text = {}) noexcept {
        try {
            done_ = std::min(done, total_);
            text_.assign(text);
            finished_ = current_ = false;
            const auto now = clock::now();
            if (shown_once_ && now - shown_ < (terminal_ ? redraw_interval : log_interval) && done_ < total_) return;
            show(now);
        } catch (...) {  // a progress line is never worth a run
        }
    }

    /// Shows the last state and ends the line; safe to call twice. Other output may follow.
    void finish() noexcept {
        if (finished_) return;
        try {
            if (!current_) show(clock::now());
            if (terminal_) std::fputc('\n', stream_);
            std::fflush(stream_);
        } catch (...) {
        }
        finished_ = true;
    }

    /// The line for a terminal `width` columns wide: what does not fit is left out, the bar first.
    std::string line(std::size_t width, clock::duration elapsed) const {
        const double fraction = total_ == 0 ? 1.0 : static_cast<double>(done_) / static_cast<double>(total_);
        char percent[16];
        std::snprintf(percent, sizeof percent, "%3.0f%%", std::floor(fraction * 100.0 + 1e-9));
        std::string rest = std::string(percent) + "  " + std::to_string(done_) + "/" + std::to_string(total_);
        if (!text_.empty()) rest += "  " + text_;
        const double seconds = std::chrono::duration<double>(elapsed).count();
        rest += "  " + duration_text(seconds);
        if (done_ > first_ && done_ < total_) {
            const double each = seconds / static_cast<double>(done_ - first_);
            rest += " < " + duration_text(each * static_cast<double>(total_ - done_));
        }
        constexpr std::size_t shortest_bar = 8, longest_bar = 30;
        if (width < rest.size() + shortest_bar + 4) return rest.substr(0, width);
        const std::size_t cells = std::min(longest_bar, width - rest.size() - 4);
        const auto full = static_cast<std::size_t>(fraction * static_cast<double>(cells));
        return "[" + std::string(full, '#') + std::string(cells - full, '-') + "] " + rest;
    }

    /// "0:07", "12:34", "3:25:10", "2d 04:00".
    static std::string duration_text(double seconds) {
        if (!(seconds >= 0.0) || seconds > 1e9) return "?";
        const auto s = static_cast<unsigned long>(seconds + 0.5);
        char out[32];
        if (s < 3600) std::snprintf(out, sizeof out, "%lu:%02lu", s / 60, s % 60);
        else if (s < 86400) std::snprintf(out, sizeof out, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
        else std::snprintf(out, sizeof out, "%lud %02lu:%02lu", s / 86400, s / 3600 % 24, s / 60 % 60);
        return out;
    }

private:
    static constexpr clock::duration redraw_interval = std::chrono::milliseconds(100);
    static constexpr clock::duration log_interval = std::chrono::seconds(10);

    std::size_t terminal_width() const {
        struct ::winsize size{};
        if (::ioctl(::fileno(stream_), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
        return size.ws_col;
    }

    void show(clock::time_point now) {
        shown_ = now;
        shown_once_ = current_ = true;
        if (terminal_) {
            // One column stays free: a full last column wraps on some terminals. ESC[K clears an older, longer line.
            const std::string out = "\r" + line(terminal_width() - 1, now - begin_) + "\x1b[K";
            std::fwrite(out.data(), 1, out.size(), stream_);
        } else {
            const std::string out = line(200, now - begin_) + "\n";
            std::fwrite(out.data(), 1, out.size(), stream_);
        }
        std::fflush(stream_);
    }

    std::FILE* stream_;
    std::size_t total_;
    std::size_t first_;
    std::size_t done_;
    std::string text_;
    clock::time_point begin_ = clock::now();
    clock::time_point shown_{};
    bool terminal_;
    bool shown_once_ = false;
    bool current_ = false;  // the last update is on the screen
    bool finished_ = true;  // nothing to finish before the first update
};

}  // namespace tenet
