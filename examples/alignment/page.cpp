// SPDX-License-Identifier: MIT
#include "page.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <tenet/io/atomic_file.hpp>
#include <tenet/io/line_plot.hpp>
#include <tenet/text/utf8.hpp>

#include "rule.hpp"

namespace alignment {
namespace {

using namespace tenet;

constexpr char const* head = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>From a text to an aligned model</title>
<style>
body { font-family: Helvetica, Arial, sans-serif; color: #333; max-width: 75em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; }
td, th { border-bottom: 1px solid #ddd; padding: .35em .7em; text-align: right; vertical-align: top; }
td:first-child, th:first-child, .samples td { text-align: left; }
.samples td { width: 16%; font-size: 90%; }
.plots { display: grid; grid-template-columns: 1fr 1fr; gap: 1em; }
.plots svg { width: 100%; height: auto; }
.gentle { background: #cdeedd; }
.harsh { background: #f7cfc4; }
</style></head><body>
)";

std::string escaped(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '<') out += "&lt;";
        else if (c == '>') out += "&gt;";
        else if (c == '&') out += "&amp;";
        else if (c == '"') out += "&quot;";
        else out += c;
    }
    return out;
}

/// Escaped, with the words of the rule marked.
std::string marked(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = word_end(text, at);
        const std::string_view word = text.substr(at, end - at);
        const tone t = tone_of(word);
        if (end == at) out += escaped(text.substr(at, 1));
        else if (t == tone::plain) out += word;
        else
            out += std::string("<span class=\"") + (t == tone::gentle ? "gentle" : "harsh") + "\">" +
                   std::string(word) + "</span>";
        at = end == at ? at + 1 : end;
    }
    return out;
}

struct line {
    char const *stage, *key, *name;
};

/// A chart of those stages that were run.
std::string chart(run_folder const& folder, char const* title, char const* x, char const* y,
                  std::vector<line> const& lines) {
    line_plot plot(title);
    plot.x_label = x;
    plot.y_label = y;
    bool any = false;
    for (line const& l : lines) {
        const curve c = folder.of(l.stage, l.key);
        if (c.step.empty()) continue;
        plot.add(l.name, c.step, c.value);
        any = true;
    }
    return any ? plot.svg() : "";
}

std::string table(std::vector<std::vector<std::string>> const& cells) {
    std::string out = "<table>\n";
    for (std::size_t l = 0; l < cells.size(); ++l) {
        out += "<tr>";
        for (std::string const& cell : cells[l])
            out += (l == 0 ? "<th>" : "<td>") + escaped(cell) + (l == 0 ? "</th>" : "</td>");
        out += "</tr>\n";
    }
    return out + "</table>\n";
}

std::string samples(run_result const& r, bool by_rule) {
    std::string out = "<table class=\"samples\">\n<tr><th>prompt</th>";
    for (model_result const& m : r.models) out += "<th>" + escaped(m.name) + "</th>";
    out += "</tr>\n";
    for (std::size_t i = 0; i < r.prompts.size(); ++i) {
        out += "<tr><td><i>" + escaped(to_utf8(r.prompts[i])) + "</i></td>";
        for (model_result const& m : r.models)
            out += "<td>" + (by_rule ? marked : escaped)(to_utf8(m.samples.at(i))) + "</td>";
        out += "</tr>\n";
    }
    return out + "</table>\n";
}

}  // namespace

void write_page(std::filesystem::path const& path, run_folder const& folder, std::vector<run_result> const& runs) {
    std::string out = head;
    out += "<h1>From a text to an aligned model</h1>\n<p>" + escaped(judged(runs)) + "</p>\n";
    if (runs.size() > 1)
        out += "<p>" + std::to_string(runs.size()) +
               " runs: means and standard deviations over seeds; plots and samples are of the first.</p>\n";
    out += table(comparison(runs));
    const bool by_rule = runs.front().models.front().rule.has_value();
    out +=
        "<p>Means over completions of held-out prompts. Reward: of the reward model; those of the fine-tuned model "
        "(sft) have the mean 0 and the deviation 1 on prompts that it learnt from. ";
    if (by_rule) out += "Rule: gentle words that differ, less harsh words. ";
    out +=
        "KL: nats a completion from the fine-tuned model. Pairs: how many held-out pairs the model orders rightly, by "
        "how much likelier it finds a completion than the fine-tuned model does. Different words: 1 where nothing "
        "is repeated.</p>\n<div class=\"plots\">\n";
    const std::vector<std::string> charts{
        chart(folder, "Pretraining and fine-tuning", "step", "nats a token",
              {{"pretrain", "loss", "pretraining"},
               {"pretrain", "validation", "pretraining, held out"},
               {"sft", "loss", "fine-tuning"},
               {"sft", "validation", "fine-tuning, held out"}}),
        chart(folder, "Reward model: accuracy", "step", "share of pairs",
              {{"reward", "accuracy", "training"}, {"reward", "validation", "held out"}}),
        chart(folder, "PPO: reward model's score", "round", "score",
              {{"ppo", "score", "held by KL"}, {"ppo-free", "score", "KL off"}}),
        chart(folder, "PPO: divergence from the tuned model", "round", "nats a completion",
              {{"ppo", "kl", "held by KL"}, {"ppo-free", "kl", "KL off"}, {"ppo-rule", "kl", "paid by the rule"}}),
        chart(folder, "PPO: the rule's score", "round", "score",
              {{"ppo", "rule", "paid by the reward model"},
               {"ppo-free", "rule", "KL off"},
               {"ppo-rule", "rule", "paid by the rule"}}),
        chart(folder, "DPO: margin of implicit rewards", "step", "margin", {{"dpo", "margin", "training"}}),
        chart(folder, "DPO: accuracy", "step", "share of pairs",
              {{"dpo", "accuracy", "training"}, {"dpo", "validation", "held out"}})};
    for (std::string const& svg : charts)
        if (!svg.empty()) out += "<div>" + svg + "</div>\n";
    out += "</div>\n<h2>The same prompts, continued</h2>\n" + samples(runs.front(), by_rule) + "</body></html>\n";
    atomic_file file(path);
    file.write(out);
    file.commit();
}

}  // namespace alignment
