// SPDX-License-Identifier: MIT
#include "results.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace alignment {
namespace {

std::string fixed(double x, int places) {
    char out[40];
    std::snprintf(out, sizeof out, "%.*f", places, x);
    return out;
}

std::string mean_text(std::vector<double> const& values, int places) {
    if (values.empty()) return "";
    double mean = 0, square = 0;
    for (double v : values) mean += v / static_cast<double>(values.size());
    if (values.size() < 2) return fixed(mean, places);
    for (double v : values) square += (v - mean) * (v - mean) / static_cast<double>(values.size() - 1);
    return fixed(mean, places) + " +- " + fixed(std::sqrt(square), places);
}

template <class F>
std::vector<double> collected(std::vector<run_result> const& runs, F const& f) {
    std::vector<double> all;
    for (run_result const& r : runs)
        if (const std::optional<double> v = f(r)) all.push_back(*v);
    return all;
}

}  // namespace

nlohmann::ordered_json to_json(run_result const& r) {
    nlohmann::ordered_json json{{"seed", r.seed},
                                {"train_pairs", r.train_pairs},
                                {"test_pairs", r.test_pairs},
                                {"reward_accuracy", r.reward_accuracy},
                                {"length_accuracy", r.length_accuracy}};
    for (model_result const& m : r.models) {
        nlohmann::ordered_json one{{"reward", m.reward}, {"kl", m.kl}, {"length", m.length}};
        one["finished"] = m.finished;
        one["different_words"] = m.different;
        if (m.rule) one["rule"] = *m.rule;
        if (m.accuracy) one["accuracy"] = *m.accuracy;
        json["models"][m.name] = one;
    }
    return json;
}

std::vector<std::vector<std::string>> comparison(std::vector<run_result> const& runs) {
    std::vector<std::vector<std::string>> cells{
        {"", "reward", "rule", "KL", "pairs", "tokens", "ended", "different words"}};
    for (std::size_t i = 0; i < runs.front().models.size(); ++i) {
        const auto cell = [&](int places, auto const& f) {
            return mean_text(
                collected(runs, [&](run_result const& r) -> std::optional<double> { return f(r.models.at(i)); }),
                places);
        };
        cells.push_back({runs.front().models[i].name, cell(2, [](model_result const& m) { return m.reward; }),
                         cell(2, [](model_result const& m) { return m.rule; }),
                         cell(2, [](model_result const& m) { return m.kl; }),
                         cell(3, [](model_result const& m) { return m.accuracy; }),
                         cell(1, [](model_result const& m) { return m.length; }),
                         cell(2, [](model_result const& m) { return m.finished; }),
                         cell(2, [](model_result const& m) { return m.different; })});
    }
    // Columns that say nothing: of pairs of a file there is no rule.
    for (std::size_t c = cells.front().size(); c-- > 1;)
        if (std::all_of(cells.begin() + 1, cells.end(), [&](auto const& line) { return line[c].empty(); }))
            for (auto& line : cells) line.erase(line.begin() + static_cast<std::ptrdiff_t>(c));
    return cells;
}

std::string judged(std::vector<run_result> const& runs) {
    const auto of = [&](auto const& f) {
        return mean_text(collected(runs, [&](run_result const& r) -> std::optional<double> { return f(r); }), 3);
    };
    return "Of " + std::to_string(runs.front().test_pairs) + " held-out pairs the reward model, trained on " +
           std::to_string(runs.front().train_pairs) + ", is right about " +
           of([](run_result const& r) { return r.reward_accuracy; }) + "; length alone about " +
           of([](run_result const& r) { return r.length_accuracy; }) + ", chance about 0.5.";
}

std::string markdown(std::vector<std::vector<std::string>> const& cells) {
    std::vector<std::size_t> widths(cells.front().size(), 0);
    for (auto const& line : cells)
        for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
    std::string text;
    for (std::size_t l = 0; l < cells.size(); ++l) {
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const std::string gap(widths[i] - cells[l][i].size(), ' ');
            text += "| " + (i == 0 ? cells[l][i] + gap : gap + cells[l][i]) + " ";
        }
        text += "|\n";
        if (l > 0) continue;
        for (std::size_t i = 0; i < widths.size(); ++i)
            text += "|" + std::string(widths[i] + (i == 0 ? 2 : 1), '-') + (i == 0 ? "" : ":");
        text += "|\n";
    }
    return text;
}

}  // namespace alignment
