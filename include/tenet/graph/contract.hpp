// SPDX-License-Identifier: MIT
// graph: emits contractions. The family is closed under differentiation: the cotangent of either operand is the
// contraction of the result's cotangent with the other operand, so gradients of any order are matrix products.
#pragma once

#include <tenet/graph/contraction.hpp>
#include <tenet/graph/dequantize.hpp>
#include <tenet/graph/rearrange.hpp>
#include <tenet/graph/recompute.hpp>

namespace tenet::graph {

/// Sum over the axes that are not in `axes` of a * b; `axes` gives the result's order.
constexpr value contract(value a, value b, axis_list axes);

namespace detail {

constexpr void dot_vjp(builder& graph, int id, int cotangent) {
    const node n = graph.at(id);
    const value a(graph, n.input[0]), b(graph, n.input[1]), dy(graph, cotangent);
    const sweep& state = *graph.cotangents;
    const auto active = [&](int i) {
        return i < static_cast<int>(state.active.size()) && state.active[static_cast<std::size_t>(i)] != 0;
    };
    if (active(n.input[0])) accumulate(graph, n.input[0], contract(dy, recomputed(graph, b.id()), a.axes()));
    if (active(n.input[1])) accumulate(graph, n.input[1], contract(recomputed(graph, a.id()), dy, b.axes()));
}

// Axes that only one operand has and the result has not are summed away first.
constexpr value sum_unshared(value x, value other, axis_list axes) {
    axis_list over;
    for (int i = 0; i < x.axes().rank; ++i)
        if (!axes.contains(x.axes()[i]) && !other.axes().contains(x.axes()[i])) over.push(x.axes()[i]);
    return over.rank > 0 ? reduce_sum(x, over) : x;
}

constexpr value emit_dot(value a, value b, axis_list axes) {
    // One operand may stay as it is stored.
    if (stored(b).id() != b.id()) b = stored(b);
    else a = stored(a);
    node n;
    n.op = kind::dot;
    n.vjp = &dot_vjp;
    n.axes = axes;
    n.add_input(a.id());
    n.add_input(b.id());
    return {a.graph(), a.graph().emit(n)};
}

}  // namespace detail

constexpr value contract(value a, value b, axis_list axes) {
    builder& graph = a.graph();
    a = as_real(dequantized(a));
    b = as_real(dequantized(b));
    a = detail::sum_unshared(a, b, axes);
    b = detail::sum_unshared(b, a, axes);
    axis_list batch, rows, columns, inner;
    for (int i = 0; i < axes.rank; ++i) {
        const bool in_a = a.axes().contains(axes[i]), in_b = b.axes().contains(axes[i]);
        (in_a && in_b ? batch : in_a ? rows : columns).push(axes[i]);
    }
    for (int i = 0; i < a.axes().rank; ++i)
        if (!axes.contains(a.axes()[i])) inner.push(a.axes()[i]);

    if (inner.rank == 0) return broadcast_to(a * b, axes);
    if (rows.rank == 0 && columns.rank == 0) return sum_to(a * b, axes);

    a = in_memory(a);
    b = in_memory(b);
    node result;
    result.axes = axes;
    if (plan_contraction(graph, a.get(), b.get(), result).possible) return detail::emit_dot(a, b, axes);

    // The operands in the order of a plain batched product: always possible.
    axis_list left = batch, right = batch, canonical = batch;
    for (int i = 0; i < rows.rank; ++i) left.push(rows[i]), canonical.push(rows[i]);
    for (int i = 0; i < inner.rank; ++i) left.push(inner[i]), right.push(inner[i]);
    for (int i = 0; i < columns.rank; ++i) right.push(columns[i]), canonical.push(columns[i]);
    return arrange(detail::emit_dot(arrange(a, left), arrange(b, right), canonical), axes);
}

}  // namespace tenet::graph
