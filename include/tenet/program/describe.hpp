// SPDX-License-Identifier: MIT
// program: the plan as a person reads it: a table of steps, and a drawing for Graphviz.
#pragma once

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenet/program/program.hpp>

namespace tenet {
namespace detail {

/// What is printed of a node. Copied out of the graph at compile time: the graph itself holds the addresses of
/// kernels, and looking at it at run time would link all of them.
struct node_card {
    std::string_view name;
    graph::kind op = graph::kind::constant;
    dtype type = dtype::real;
    int region = 0, group = -1, input_count = 0, step = -1;
    int input[graph::max_inputs] = {};
    graph::axis_list axes;
    graph::space where = graph::space::none;
    std::size_t offset = 0;
    bool rounded = false;
    double number = 0, flops = 0;
    bool skipped = false;
};

constexpr std::string_view kind_name(graph::node const& n, node_code const& code) {
    switch (n.op) {
    case graph::kind::parameter: return "parameter";
    case graph::kind::input: return "input";
    case graph::kind::constant: return "constant";
    case graph::kind::inverse_count: return "inverse_count";
    case graph::kind::iota: return "positions";
    case graph::kind::random: return "random";
    case graph::kind::elementwise: return code.function->name;
    case graph::kind::custom: return code.primitive->name;
    case graph::kind::alias: return "reshape";
    case graph::kind::view: return "view";
    case graph::kind::dequantize: return "dequantize";
    case graph::kind::copy: return "copy";
    case graph::kind::pad: return "pad";
    case graph::kind::concat: return "concat";
    case graph::kind::reduce_sum: return "sum";
    case graph::kind::reduce_max: return "max";
    case graph::kind::reduce_min: return "min";
    case graph::kind::argmax: return "argmax";
    case graph::kind::dot: return "dot";
    case graph::kind::gather_rows: return "lookup";
    case graph::kind::scatter_add_rows: return "scatter_add";
    case graph::kind::gather_along: return "gather";
    case graph::kind::scatter_add_along: return "scatter_add_along";
    case graph::kind::softmax: return "softmax";
    case graph::kind::log_softmax: return "log_softmax";
    case graph::kind::logsumexp: return "logsumexp";
    case graph::kind::softmax_backward: return "softmax_backward";
    case graph::kind::log_softmax_backward: return "log_softmax_backward";
    case graph::kind::layer_norm: return "layer_norm";
    case graph::kind::layer_norm_backward: return "layer_norm_backward";
    case graph::kind::rms_norm: return "rms_norm";
    case graph::kind::rms_norm_backward: return "rms_norm_backward";
    case graph::kind::cross_entropy: return "cross_entropy";
    case graph::kind::cross_entropy_backward: return "cross_entropy_backward";
    case graph::kind::attention: return "attention";
    case graph::kind::attention_backward: return "attention_backward";
    case graph::kind::cached_attention: return "cached_attention";
    case graph::kind::rotary: return "rotary";
    case graph::kind::state: return "state";
    case graph::kind::carry_in: return "carry_in";
    case graph::kind::carry_result: return "carry_result";
    case graph::kind::output: return "further_result";
    case graph::kind::sink: return "gradient";
    }
    return "?";
}

template <class P>
inline constexpr auto node_cards = [] {
    std::array<node_card, P::image.nodes.size()> cards{};
    for (std::size_t i = 0; i < cards.size(); ++i) {
        graph::node const& n = P::image.nodes[i];
        node_card& c = cards[i];
        c.name = kind_name(n, codes_of<typename P::spec>[i]);
        if (n.op == graph::kind::dot && rounds_operands<P>(static_cast<int>(i))) c.name = "dot in bfloat16";
        if (n.op == graph::kind::attention && rounds_attention<P>(static_cast<int>(i)))
            c.name = "attention in bfloat16";
        c.op = n.op;
        c.type = n.type;
        c.region = n.region;
        c.group = P::image.group[i];
        c.input_count = n.input_count;
        for (int k = 0; k < n.input_count; ++k) c.input[k] = n.input[k];
        c.axes = n.axes;
        c.where = P::image.locations[i].in;
        c.offset = P::image.locations[i].offset;
        c.rounded = P::image.rounded[i] != 0;
        c.number = n.number[0];
        c.flops = graph::node_flops(P::image, whole_image<typename P::spec>.nodes[i]);
        c.skipped = P::image.skipped[i] != 0;
        if (n.op == graph::kind::parameter) c.name = P::image.parameters[static_cast<std::size_t>(n.integer[0])].path;
    }
    return cards;
}();

template <class P>
inline constexpr auto axis_cards = P::image.axes;
template <class P>
inline constexpr auto step_cards = P::image.steps;
template <class P>
inline constexpr auto region_cards = P::image.regions;
template <class P>
inline constexpr auto member_cards = std::pair{P::image.group_begin, P::image.members};

template <class P>
std::string axes_text(graph::axis_list const& axes) {
    std::string text = "[";
    for (int i = 0; i < axes.rank; ++i) {
        axis_info const& a = *axis_cards<P>[static_cast<std::size_t>(axes[i])];
        text += (i > 0 ? ", " : "") + std::string(a.name) + (a.is_static ? " " : " <= ") + std::to_string(a.capacity);
    }
    return text + "]";
}

inline std::string bytes_text(double bytes) {
    char text[32];
    if (bytes >= 1 << 20) std::snprintf(text, sizeof text, "%.1f MiB", bytes / (1 << 20));
    else if (bytes >= 1 << 10) std::snprintf(text, sizeof text, "%.1f KiB", bytes / (1 << 10));
    else std::snprintf(text, sizeof text, "%.0f B", bytes);
    return text;
}

inline std::string place_text(node_card const& c) {
    switch (c.where) {
    case graph::space::arena: return "arena + " + std::to_string(c.offset);
    case graph::space::gradients: return "gradients + " + std::to_string(c.offset);
    case graph::space::output: return "result";
    case graph::space::state: return "state + " + std::to_string(c.offset);
    default: return "";
    }
}

inline std::string padded(std::string text, std::size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

}  // namespace detail

/// The plan of a program as a table: one line a step, with the operations fused into it, their shapes, where the
/// result lies and how many floating-point operations it takes; loops are indented.
template <class Program>
std::string describe() {
    using P = typename Program::code;
    constexpr auto const& cards = detail::node_cards<P>;
    const auto card = [&](int id) -> detail::node_card const& { return cards[static_cast<std::size_t>(id)]; };
    const auto label = [&](int id) {
        const std::string_view name = card(id).name;
        return card(id).op == graph::kind::parameter ? std::string(name) : "%" + std::to_string(id);
    };
    char flops[32];
    std::snprintf(flops, sizeof flops, "%.3g", Program::flops);
    std::string text = "activations " + detail::bytes_text(static_cast<double>(Program::activation_bytes)) +
                       ", gradients " + std::to_string(Program::gradient_elements) + " elements, " + flops +
                       " flop a step\n" + detail::padded("step", 6) + detail::padded("operation", 62) +
                       detail::padded("result", 52) + detail::padded("place", 24) + "flop\n";
    std::size_t depth = 0;
    for (std::size_t s = 0; s < detail::step_cards<P>.size(); ++s) {
        graph::step const step = detail::step_cards<P>[s];
        const std::string number = detail::padded(std::to_string(s), 6);
        if (step.what == graph::step_kind::loop_end) {
            --depth;
            continue;
        }
        const std::string indent(2 * depth, ' ');
        if (step.what == graph::step_kind::loop_begin) {
            graph::region const r = detail::region_cards<P>[static_cast<std::size_t>(step.id)];
            text += number + indent + "for " + std::to_string(r.trips) + " layers" +
                    (r.reversed ? ", last first" : "") + "\n";
            ++depth;
            continue;
        }
        detail::node_card const& last = card(step.id);
        std::string operation;
        double cost = 0;
        if (step.what == graph::step_kind::group) {
            auto const& [begin, members] = detail::member_cards<P>;
            std::vector<std::pair<std::string_view, int>> counted;
            for (int m = begin[static_cast<std::size_t>(last.group)];
                 m < begin[static_cast<std::size_t>(last.group) + 1]; ++m) {
                const int id = members[static_cast<std::size_t>(m)];
                auto known = counted.begin();
                while (known != counted.end() && known->first != card(id).name) ++known;
                if (known == counted.end()) counted.emplace_back(card(id).name, 1);
                else ++known->second;
                cost += card(id).flops;
            }
            for (auto const& [name, times] : counted)
                operation +=
                    (operation.empty() ? "" : " ") + std::string(name) + (times > 1 ? "*" + std::to_string(times) : "");
        } else {
            operation = last.name;
            if (last.skipped) operation += " (in place)";
            cost = last.flops;
        }
        std::string inputs;
        if (step.what == graph::step_kind::node)
            for (int k = 0; k < last.input_count; ++k) inputs += (k > 0 ? ", " : "") + label(last.input[k]);
        if (step.what == graph::step_kind::node) operation += " (" + inputs + ")";
        std::snprintf(flops, sizeof flops, "%.3g", cost);
        text += number + detail::padded(indent + operation, 61) + " " +
                detail::padded("%" + std::to_string(step.id) + (last.rounded ? " bfloat16 " : " ") +
                                   detail::axes_text<P>(last.axes),
                               51) +
                " " + detail::padded(detail::place_text(last), 23) + " " + flops + "\n";
    }
    return text;
}
template <class Program>
std::string describe(Program const&) {
    return describe<Program>();
}

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
