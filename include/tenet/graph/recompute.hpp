// SPDX-License-Identifier: MIT
// graph: what the backward pass computes again rather than keep from the forward pass: results of normalisations and
// activations, whose operands are kept for their own gradients anyway. Products read them a second time, for the
// gradients of weights; without this they would be half of what a transformer keeps.
#pragma once

#include <tenet/graph/value.hpp>

namespace tenet::graph {

/// Elements from which memory counts more than one more step.
inline constexpr std::size_t least_recomputed = std::size_t{1} << 14;

namespace detail {

constexpr bool is_recomputed(builder const& graph, node const& n) {
    if (n.type != dtype::real || !n.tap.empty() || graph.capacity(n.axes) < least_recomputed) return false;
    sweep const& state = *graph.cotangents;
    // An operand without a gradient is not kept.
    if (n.input_count == 0 || n.input[0] >= static_cast<int>(state.active.size()) ||
        state.active[static_cast<std::size_t>(n.input[0])] == 0)
        return false;
    return n.op == kind::layer_norm || n.op == kind::rms_norm || (n.op == kind::elementwise && n.function->recomputed);
}

}  // namespace detail

/// The value of node `id` of the forward pass for a vector-Jacobian product: a copy in the current region if that is
/// cheaper than to keep it, once a region, else the node. Further results are copied with it. Cost: one more run of the
/// operation in a step. Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016, for what is cheap.
constexpr value recomputed(builder& graph, int id) {
    sweep& state = *graph.cotangents;
    if (id >= state.forward_end) return {graph, id};
    for (sweep::copy const& c : state.copies)
        if (c.of == id && graph.within(graph.current_region, graph.at(c.id).region)) return {graph, c.id};
    node n = graph.at(id);
    if (n.op == kind::alias) {
        const value x = recomputed(graph, n.input[0]);
        if (x.id() == n.input[0]) return {graph, id};
        n.input[0] = static_cast<std::int32_t>(x.id());
    } else if (!detail::is_recomputed(graph, n)) {
        return {graph, id};
    }
    n.shared = false;
    const int copy = graph.emit(n);
    for (int i = id + 1; i < state.forward_end && graph.at(i).op == kind::output && graph.at(i).input[0] == id; ++i) {
        node further = graph.at(i);
        further.shared = false;
        further.input[0] = copy;
        static_cast<void>(graph.emit(further));
    }
    state.copies.push_back({id, copy});
    return {graph, copy};
}

}  // namespace tenet::graph
