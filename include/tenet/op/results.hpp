// SPDX-License-Identifier: MIT
// op: nodes with several results, and operands whose axes a kernel wants innermost.
#pragma once

#include <tenet/graph/differentiate.hpp>
#include <tenet/op/reduce.hpp>

namespace tenet::detail {

constexpr graph::value output_of(graph::value v, int which, graph::axis_list const& axes, bool always,
                                 std::size_t elements = 0) {
    graph::node n;
    n.op = graph::kind::output;
    n.axes = axes;
    n.integer[0] = which;
    n.integer[1] = always ? 1 : 0;
    n.elements = elements;
    n.add_input(v.id());
    return {v.graph(), v.graph().emit(n)};
}

/// The further result number `which` of node `id`, emitted together with it: its region is the node's own, so that a
/// backward loop reads what the forward loop wrote.
constexpr graph::value existing_output(graph::builder& g, int id, int which) {
    for (std::size_t i = static_cast<std::size_t>(id) + 1; i < g.nodes.size(); ++i) {
        graph::node const& n = g.nodes[i];
        if (n.op == graph::kind::output && n.input[0] == id && n.integer[0] == which) return {g, static_cast<int>(i)};
    }
    throw "a further result was not emitted together with its node";
}

/// `x` dense with the axes `over` last, in the order given.
constexpr graph::value innermost(graph::value x, graph::axis_list const& over) {
    graph::axis_list order = graph::minus(x.axes(), over);
    for (int i = 0; i < over.rank; ++i) order.push(over[i]);
    return graph::dense(graph::arrange(graph::in_memory(graph::as_real(x)), order));
}

}  // namespace tenet::detail
