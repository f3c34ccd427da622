// SPDX-License-Identifier: MIT
// graph: what a node costs, counted as constants: floating-point operations at full extents.
#pragma once

#include <tenet/graph/contraction.hpp>
#include <tenet/graph/node.hpp>

namespace tenet::graph {

/// Floating-point operations of one execution of node `n`. A multiply-add counts as two; functions such as exp count
/// as the operations of their polynomial, roughly; copies and lookups as none. Causal attention counts what is under
/// the diagonal.
template <class Graph>
constexpr double node_flops(Graph const& graph, node const& n) {
    const auto size = [&](axis_list const& axes) { return static_cast<double>(graph.capacity(axes)); };
    const auto operand = [&](int k) -> node const& { return graph.nodes[static_cast<std::size_t>(n.input[k])]; };
    switch (n.op) {
    case kind::elementwise: return n.function->flops * size(n.axes);
    case kind::reduce_sum:
    case kind::reduce_max:
    case kind::reduce_min:
    case kind::argmax: return size(operand(0).axes);
    case kind::dot: {
        double inner = 1;
        for (int i = 0; i < operand(0).axes.rank; ++i)
            if (!n.axes.contains(operand(0).axes[i])) inner *= static_cast<double>(graph.capacity(operand(0).axes[i]));
        return 2 * inner * size(n.axes);
    }
    case kind::scatter_add_rows: return size(operand(0).axes);
    case kind::softmax:
    case kind::log_softmax:
    case kind::logsumexp: return 13 * size(operand(0).axes);
    case kind::softmax_backward: return 4 * size(n.axes);
    case kind::log_softmax_backward: return 13 * size(n.axes);
    case kind::layer_norm: return 8 * size(n.axes);
    case kind::layer_norm_backward: return 14 * size(n.axes);
    case kind::rms_norm: return 4 * size(n.axes);
    case kind::rms_norm_backward: return 10 * size(n.axes);
    case kind::cross_entropy:
    case kind::cross_entropy_backward: return 13 * size(operand(0).axes);
    case kind::attention:
    case kind::attention_backward: {
        double pairs = size(operand(0).axes) * static_cast<double>(graph.capacity(n.over[1]));
        if (n.integer[0] != 0) pairs /= 2;
        return (n.op == kind::attention ? 4 : 8) * pairs;
    }
    case kind::cached_attention: return 4 * size(operand(0).axes) * static_cast<double>(graph.capacity(n.over[1]));
    case kind::dequantize: return size(n.axes);
    case kind::rotary: return 3 * size(n.axes);
    default: return 0;
    }
}

/// Floating-point operations of a whole program: every node as often as the loops around it run.
template <class Graph>
constexpr double total_flops(Graph const& graph) {
    double sum = 0;
    for (node const& n : graph.nodes) {
        double times = 1;
        for (int r = n.region; r >= 0; r = graph.regions[static_cast<std::size_t>(r)].parent)
            times *= graph.regions[static_cast<std::size_t>(r)].trips;
        sum += times * node_flops(graph, n);
    }
    return sum;
}

}  // namespace tenet::graph
