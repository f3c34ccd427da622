// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <cmath>
#include <cstdio>

#include <tenet/io/atomic_file.hpp>
#include <tenet/io/line_plot.hpp>

namespace adaptation {
namespace {

std::string fixed(double x, int places) {
    char out[40];
    std::snprintf(out, sizeof out, "%.*f", places, x);
    return out;
}
std::string mebibytes(std::size_t bytes) {
    return fixed(static_cast<double>(bytes) / (1 << 20), 2);
}

/// Lines of cells as a Markdown table whose columns are aligned.
std::string aligned(std::vector<std::vector<std::string>> const& lines) {
    std::vector<std::size_t> widths(lines.front().size(), 0);
    for (auto const& line : lines)
        for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
    std::string text;
    for (std::size_t l = 0; l < lines.size(); ++l) {
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const std::string gap(widths[i] - lines[l][i].size(), ' ');
            text += "| " + (i == 0 ? lines[l][i] + gap : gap + lines[l][i]) + " ";
        }
        text += "|\n";
        if (l > 0) continue;
        for (std::size_t i = 0; i < widths.size(); ++i)
            text += i == 0 ? "|" + std::string(widths[i] + 2, '-') : "|" + std::string(widths[i] + 1, '-') + ":";
        text += "|\n";
    }
    return text;
}

}  // namespace

std::string report::table() const {
    std::vector<std::vector<std::string>> lines{{"", "old loss", "new loss", "perplexity", "right answers", "trained",
                                                 "weights", "optimiser", "activations", "ms a step"}};
    const auto quality = [&](std::string const& name, outcome const& o) {
        return std::vector<std::string>{name, fixed(o.old_loss, 3), fixed(o.new_loss, 3),
                                        fixed(std::exp(o.new_loss), 2),
                                        tasks_ == 0 ? "" : std::to_string(o.right) + " of " + std::to_string(tasks_)};
    };
    lines.push_back(quality("base", base_));
    for (entry const& e : entries_) {
        // A base in fewer bits is another one.
        if (e.before.new_loss != base_.new_loss) lines.push_back(quality(e.name + ", before", e.before));
        lines.push_back(quality(e.name, e.after));
        for (std::string const& cell :
             {std::to_string(e.costs.trained), mebibytes(e.costs.weights), mebibytes(e.costs.optimizer),
              mebibytes(e.costs.activations), fixed(e.milliseconds, 1)})
            lines.back().push_back(cell);
    }
    for (auto& line : lines) line.resize(lines.front().size());
    if (tasks_ == 0)
        for (auto& line : lines) line.erase(line.begin() + 4);
    return aligned(lines);
}

void report::draw(std::filesystem::path const& path) const {
    line_plot plot("Adaptation: loss on new and old data");
    plot.x_label = "step";
    plot.y_label = "nats a byte";
    for (bool of_new : {true, false}) {
        for (entry const& e : entries_) {
            std::vector<double> x{0}, y{of_new ? e.before.new_loss : e.before.old_loss};
            x.insert(x.end(), e.losses.step.begin(), e.losses.step.end());
            std::vector<double> const& from = of_new ? e.losses.new_loss : e.losses.old_loss;
            y.insert(y.end(), from.begin(), from.end());
            plot.add(e.name + (of_new ? ", new" : ", old"), x, y);
        }
    }
    plot.save(path);
}

void report::write(std::filesystem::path const& folder) const {
    const std::string text = table();
    atomic_file file(folder / "table.md");
    file.write(text);
    file.commit();
    draw(folder / "loss.svg");
    std::printf("\n%sBytes in MiB; losses in nats a byte, at the best evaluation. See %s\n", text.c_str(),
                (folder / "loss.svg").c_str());
}

}  // namespace adaptation
