// SPDX-License-Identifier: MIT
// graph: gradients: of a scalar by nodes, and of a fused primitive through the nodes that it stands for.
#pragma once

#include <algorithm>

#include <tenet/base/list.hpp>
#include <tenet/graph/cotangent.hpp>
#include <tenet/graph/reverse_sweep.hpp>

namespace tenet::graph {

/// Emits the gradients of the scalar `output` with respect to `wanted` into the current region and returns them;
/// a wanted node that the output does not depend on gets zeros. Cost: one backward pass.
constexpr list<value> gradients(value output, list<int> const& wanted) {
    builder& graph = output.graph();
    for (int id : wanted)
        if (graph.at(id).op == kind::dequantize) {
            node const& leaf = graph.at(graph.at(id).input[0]);
            graph.fail(failure::gradient_of_stored, graph.parameters[static_cast<std::size_t>(leaf.integer[0])].path);
        }
    reverse_sweep sweep(graph, wanted, false);
    const int end = static_cast<int>(graph.nodes.size());
    const int begin = graph.region_at(graph.current_region).begin;
    sweep.seed(output.id(), constant(graph, 1));
    sweep.run(begin, end);
    list<value> result;
    for (int id : wanted) {
        const int dx = sweep.cotangent_of(id);
        result.push_back(dx >= 0 ? value(graph, dx) : zeros(graph, graph.at(id).axes));
    }
    return result;
}

/// The vector-Jacobian product of a fused primitive through its decomposition: elementary nodes that compute the same
/// results. Used for gradients of gradients of primitives whose first gradient is a kernel of its own.
/// `decompose()` emits those nodes and returns the results; `cotangents[i]` is the cotangent of the i-th one, or -1.
template <class Decompose>
constexpr void differentiate_decomposition(builder& graph, list<int> const& operands, list<int> const& cotangents,
                                           Decompose decompose) {
    // Once each: the sweep gives the sum over all places in which an operand stands.
    list<int> wanted;
    for (int x : operands)
        if (x < static_cast<int>(graph.cotangents->active.size()) &&
            graph.cotangents->active[static_cast<std::size_t>(x)] &&
            std::find(wanted.begin(), wanted.end(), x) == wanted.end())
            wanted.push_back(x);
    // The decomposition must consist of new nodes only: a result that is found among older ones would lie outside of
    // the range that is swept, and its gradient would be lost.
    const int begin = static_cast<int>(graph.nodes.size());
    const bool merging = graph.merging;
    graph.merging = false;
    const list<value> results = decompose();
    graph.merging = merging;
    reverse_sweep inner(graph, wanted, false);
    const int end = static_cast<int>(graph.nodes.size());
    for (std::size_t i = 0; i < results.size(); ++i)
        if (cotangents[i] >= 0) inner.seed(results[i].id(), value(graph, cotangents[i]));
    inner.run(begin, end);
    for (int x : wanted)
        if (inner.cotangent_of(x) >= 0) accumulate(graph, x, value(graph, inner.cotangent_of(x)));
}

/// The cotangents of the first `count` results of a node (the node itself and its `output`s) in the current sweep.
constexpr list<int> result_cotangents(builder const& graph, int id, int count) {
    list<int> all(static_cast<std::size_t>(count), -1);
    sweep const& state = *graph.cotangents;
    all[0] = state.cotangent[static_cast<std::size_t>(id)];
    for (std::size_t i = static_cast<std::size_t>(id) + 1; i < state.cotangent.size(); ++i) {
        node const& n = graph.nodes[i];
        if (n.op == kind::output && n.input[0] == id && n.integer[0] < count)
            all[static_cast<std::size_t>(n.integer[0])] = state.cotangent[i];
    }
    return all;
}

}  // namespace tenet::graph
