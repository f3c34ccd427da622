// SPDX-License-Identifier: MIT
// io: line charts (loss curves) as SVG files, which any browser shows. Long series are thinned to what a pixel column
// can show: its first, lowest, highest and last value, so that no spike is lost.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/io/atomic_file.hpp>
#include <tenet/io/axis_ticks.hpp>

namespace tenet {

/// A chart of several named lines.
///
/// `line_plot plot("loss"); plot.x_label = "step"; plot.add("train", steps, losses); plot.save("loss.svg");`
/// Points that are not finite (or not positive on a logarithmic axis) interrupt the line. Titles and names may be
/// any UTF-8 text. Cost: linear in the points; the file holds at most about 4 points a pixel column and series.
class line_plot {
public:
    std::string title;
    std::string x_label;
    std::string y_label;
    bool log_x = false;
    bool log_y = false;

    explicit line_plot(std::string heading = {}) : title(std::move(heading)) {}

    /// Adds a line through (x[i], y[i]). Throws if the lengths differ. Keeps a copy.
    void add(std::string name, std::vector<double> x, std::vector<double> y) {
        if (x.size() != y.size()) {
            fail_expectation("line_plot::add: " + name, std::to_string(x.size()) + " values of y",
                             std::to_string(y.size()));
        }
        series_.push_back({std::move(name), std::move(x), std::move(y)});
    }

    /// The chart as the text of an SVG file, 800 by 500 units.
    std::string svg() const {
        const frame f = make_frame();
        std::string out =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"500\" viewBox=\"0 0 800 500\" "
            "font-family=\"Helvetica, Arial, sans-serif\" font-size=\"13\" fill=\"#333\">\n"
            "<rect width=\"800\" height=\"500\" fill=\"#fff\"/>\n";
        draw_axes(out, f);
        out += "<clipPath id=\"area\"><rect x=\"" + number(left) + "\" y=\"" + number(top) + "\" width=\"" +
               number(right - left) + "\" height=\"" + number(bottom - top) + "\"/></clipPath>\n" +
               "<g clip-path=\"url(#area)\">\n";
        for (std::size_t i = 0; i < series_.size(); ++i) draw_series(out, f, i);
        out += "</g>\n";
        draw_legend(out, f);
        return out + "</svg>\n";
    }

    /// Writes `svg()` to `path`, atomically.
    void save(std::filesystem::path const& path) const {
        atomic_file file(path);
        file.write(svg());
        file.commit();
    }

private:
    struct series {
        std::string name;
        std::vector<double> x, y;
    };
    struct frame {
        axis_ticks x, y;
    };

    static constexpr double left = 76, right = 776, top = 48, bottom = 440;
    // Okabe and Ito's palette, which colour-blind readers can tell apart, in an order that keeps neighbours distinct.
    static constexpr std::array<std::string_view, 8> colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                             "#e69f00", "#56b4e9", "#000000", "#8a8a00"};

    static std::string_view colour(std::size_t i) { return colours[i % colours.size()]; }

    static std::string number(double value) {
        char out[32];  // to_chars, unlike printf, never writes the locale's decimal comma
        const auto end = std::to_chars(out, out + sizeof out, value, std::chars_format::fixed, 2);
        return end.ec == std::errc{} ? std::string(out, end.ptr) : "0";
    }

    static std::string escaped(std::string_view text) {
        std::string out;
        for (char c : text) {
            if (c == '<') out += "&lt;";
            else if (c == '>') out += "&gt;";
            else if (c == '&') out += "&amp;";
            else if (c == '"') out += "&quot;";
            else if (static_cast<unsigned char>(c) >= 0x20) out += c;  // XML has no other control characters
            else out += ' ';
        }
        return out;
    }

    static std::string label(double x, double y, std::string_view anchor, std::string_view text,
                             std::string_view more = {}) {
        return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + std::string(anchor) + "\"" +
               std::string(more) + ">" + escaped(text) + "</text>\n";
    }

    static std::string line(double x1, double y1, double x2, double y2, std::string_view stroke) {
        return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) + "\" y2=\"" +
               number(y2) + "\" stroke=\"" + std::string(stroke) + "\"/>\n";
    }

    bool drawable(double x, double y) const {
        return std::isfinite(x) && std::isfinite(y) && (!log_x || x > 0) && (!log_y || y > 0);
    }

    frame make_frame() const {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        double x_low = infinity, x_high = -infinity, y_low = infinity, y_high = -infinity;
        for (auto const& s : series_) {
            for (std::size_t i = 0; i < s.x.size(); ++i) {
                if (!drawable(s.x[i], s.y[i])) continue;
                x_low = std::min(x_low, s.x[i]);
                x_high = std::max(x_high, s.x[i]);
                y_low = std::min(y_low, s.y[i]);
                y_high = std::max(y_high, s.y[i]);
            }
        }
        return {axis_ticks(x_low, x_high, log_x, 8, false), axis_ticks(y_low, y_high, log_y, 6, true)};
    }

    static double place_x(frame const& f, double x) { return left + (right - left) * f.x.fraction(x); }
    static double place_y(frame const& f, double y) { return bottom - (bottom - top) * f.y.fraction(y); }

    void draw_axes(std::string& out, frame const& f) const {
        for (auto const& [value, text] : f.y.ticks) {
            const double y = place_y(f, value);
            out += line(left, y, right, y, "#e4e4e4") + label(left - 8, y + 4.5, "end", text);
        }
        for (auto const& [value, text] : f.x.ticks) {
            const double x = place_x(f, value);
            out += line(x, top, x, bottom, "#f0f0f0") + line(x, bottom, x, bottom + 5, "#888") +
                   label(x, bottom + 20, "middle", text);
        }
        out += line(left, bottom, right, bottom, "#888") + line(left, top, left, bottom, "#888");
        const double middle = (left + right) / 2;
        if (!title.empty()) out += label(middle, 28, "middle", title, " font-size=\"17\" font-weight=\"bold\"");
        if (!x_label.empty()) out += label(middle, bottom + 44, "middle", x_label);
        if (!y_label.empty()) {
            const double y = (top + bottom) / 2;
            out += label(18, y, "middle", y_label, " transform=\"rotate(-90 18 " + number(y) + ")\"");
        }
    }

    void draw_series(std::string& out, frame const& f, std::size_t index) const {
        auto const& s = series_[index];
        for (std::size_t begin = 0; begin < s.x.size();) {
            if (!drawable(s.x[begin], s.y[begin])) {
                ++begin;
                continue;
            }
            std::size_t end = begin;
            std::vector<std::pair<double, double>> run;
            for (; end < s.x.size() && drawable(s.x[end], s.y[end]); ++end) {
                run.emplace_back(place_x(f, s.x[end]), place_y(f, s.y[end]));
            }
            begin = end;
            draw_run(out, thinned(run), colour(index));
        }
    }

    static void draw_run(std::string& out, std::vector<std::pair<double, double>> const& run, std::string_view stroke) {
        if (run.size() == 1) {
            out += "<circle cx=\"" + number(run[0].first) + "\" cy=\"" + number(run[0].second) + "\" r=\"3\" fill=\"" +
                   std::string(stroke) + "\"/>\n";
            return;
        }
        // A dense line is mostly noise and would cover the others: it is drawn thinner.
        out += "<polyline fill=\"none\" stroke=\"" + std::string(stroke) + "\" stroke-width=\"" +
               (run.size() > 400 ? "1" : "1.8") + "\" stroke-linejoin=\"round\" stroke-linecap=\"round\" points=\"";
        for (auto const& [x, y] : run) out += number(x) + "," + number(y) + " ";
        out.back() = '"';
        out += "/>\n";
    }

    // Consecutive points in one half-unit column become its first, lowest, highest and last, in their order.
    static std::vector<std::pair<double, double>> thinned(std::vector<std::pair<double, double>> const& run) {
        if (run.size() < 4000) return run;
        std::vector<std::pair<double, double>> out;
        for (std::size_t begin = 0; begin < run.size();) {
            const double column = std::floor(run[begin].first * 2.0);
            std::size_t end = begin + 1, low = begin, high = begin;
            for (; end < run.size() && std::floor(run[end].first * 2.0) == column; ++end) {
                if (run[end].second < run[low].second) low = end;
                if (run[end].second > run[high].second) high = end;
            }
            std::array<std::size_t, 4> keep{begin, std::min(low, high), std::max(low, high), end - 1};
            for (std::size_t i = 0; i < keep.size(); ++i) {
                if (i == 0 || keep[i] != keep[i - 1]) out.push_back(run[keep[i]]);
            }
            begin = end;
        }
        return out;
    }

    // The legend takes the corner in which the fewest points lie.
    void draw_legend(std::string& out, frame const& f) const {
        std::size_t longest = 0, shown = 0;
        for (auto const& s : series_) {
            if (s.name.empty()) continue;
            ++shown;
            longest = std::max(longest, s.name.size());
        }
        if (shown == 0) return;
        const double width = std::min(44.0 + 7.2 * static_cast<double>(longest), 320.0);
        const double height = 10.0 + 20.0 * static_cast<double>(shown);
        const auto [x, y] = quiet_corner(f, width, height);
        out += "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(width) + "\" height=\"" +
               number(height) + "\" rx=\"4\" fill=\"#fff\" fill-opacity=\"0.88\" stroke=\"#ccc\"/>\n";
        double row = y + 15;
        for (std::size_t i = 0; i < series_.size(); ++i) {
            if (series_[i].name.empty()) continue;
            out += "<line x1=\"" + number(x + 9) + "\" y1=\"" + number(row) + "\" x2=\"" + number(x + 31) + "\" y2=\"" +
                   number(row) + "\" stroke-width=\"2.6\" stroke=\"" + std::string(colour(i)) + "\"/>\n";
            out += label(x + 38, row + 4.5, "start", series_[i].name);
            row += 20;
        }
    }

    std::pair<double, double> quiet_corner(frame const& f, double width, double height) const {
        const double x_far = right - width - 10, y_far = bottom - height - 10;
        const std::array<std::pair<double, double>, 4> corners{
            {{x_far, top + 10}, {left + 10, top + 10}, {left + 10, y_far}, {x_far, y_far}}};
        std::array<std::size_t, 4> covered{};
        for (auto const& s : series_) {
            for (std::size_t i = 0; i < s.x.size(); ++i) {
                if (!drawable(s.x[i], s.y[i])) continue;
                const double x = place_x(f, s.x[i]), y = place_y(f, s.y[i]);
                for (std::size_t c = 0; c < corners.size(); ++c) {
                    covered[c] += x >= corners[c].first && x <= corners[c].first + width && y >= corners[c].second &&
                                  y <= corners[c].second + height;
                }
            }
        }
        return corners[static_cast<std::size_t>(std::min_element(covered.begin(), covered.end()) - covered.begin())];
    }

    std::vector<series> series_;
};

}  // namespace tenet
