// SPDX-License-Identifier: MIT
// program: the graph as a drawing for Graphviz.
#pragma once

#include <cstdio>
#include <string>

#include <tenet/program/plan_cards.hpp>

namespace tenet {

/// The graph of a program in Graphviz's language: `dot -Tsvg`. Fused groups are boxes, loops are boxes around them.
template <class Program>
std::string draw() {
    using P = typename Program::code;
    constexpr auto const& cards = detail::node_cards<P>;
    std::string text = "digraph program {\n  rankdir=TB;\n  node [shape=box, fontname=\"sans-serif\", fontsize=10];\n";
    const auto emit_node = [&](std::size_t i, std::string const& indent) {
        detail::node_card const& c = cards[i];
        std::string label(c.name);
        if (c.op == graph::kind::constant) {
            char number[32];
            std::snprintf(number, sizeof number, "%g", c.number);
            label = number;
        }
        const char* style = c.op == graph::kind::parameter ? ", style=filled, fillcolor=\"#dbe9f6\""
                            : c.op == graph::kind::input   ? ", style=filled, fillcolor=\"#e2f0d9\""
                            : c.op == graph::kind::sink    ? ", style=filled, fillcolor=\"#fbe5d6\""
                                                           : "";
        text += indent + "n" + std::to_string(i) + " [label=\"" + label + "\\n" + detail::axes_text<P>(c.axes) + "\"" +
                style + "];\n";
    };
    auto const& regions = detail::region_cards<P>;
    const auto emit_region = [&](auto const& self, int r, std::string const& indent) -> void {
        for (std::size_t i = 0; i < cards.size(); ++i)
            if (cards[i].region == r && cards[i].group < 0) emit_node(i, indent);
        auto const& [begin, members] = detail::member_cards<P>;
        for (std::size_t g = 0; g + 1 < begin.size(); ++g) {
            if (begin[g] == begin[g + 1]) continue;
            if (cards[static_cast<std::size_t>(members[static_cast<std::size_t>(begin[g])])].region != r) continue;
            text += indent + "subgraph cluster_group" + std::to_string(g) +
                    " { style=rounded; color=\"#a0a0a0\"; label=\"\";\n";
            for (int m = begin[g]; m < begin[g + 1]; ++m)
                emit_node(static_cast<std::size_t>(members[static_cast<std::size_t>(m)]), indent + "  ");
            text += indent + "}\n";
        }
        for (std::size_t child = 0; child < regions.size(); ++child) {
            if (regions[child].parent != r) continue;
            text += indent + "subgraph cluster_region" + std::to_string(child) + " { color=\"#4070a0\"; label=\"" +
                    (regions[child].loop ? std::to_string(regions[child].trips) + " layers" +
                                               (regions[child].reversed ? ", last first" : "")
                                         : std::string("checkpoint")) +
                    "\";\n";
            self(self, static_cast<int>(child), indent + "  ");
            text += indent + "}\n";
        }
    };
    emit_region(emit_region, 0, "  ");
    for (std::size_t i = 0; i < cards.size(); ++i)
        for (int k = 0; k < cards[i].input_count; ++k)
            text += "  n" + std::to_string(cards[i].input[k]) + " -> n" + std::to_string(i) + ";\n";
    return text + "}\n";
}
template <class Program>
std::string draw(Program const&) {
    return draw<Program>();
}

}  // namespace tenet
