// SPDX-License-Identifier: MIT
// program: what is printed of a plan, for people.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <tenet/program/program.hpp>

namespace tenet::detail {

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

}  // namespace tenet::detail
