// SPDX-License-Identifier: MIT
// graph: sums and extrema of a value over some of its axes, and the copies that bring axes into an order.
#pragma once

#include <tenet/graph/elementwise.hpp>
#include <tenet/graph/geometry.hpp>

namespace tenet::graph {

/// The axes of `a` that are not in `b`.
constexpr axis_list minus(axis_list const& a, axis_list const& b) {
    axis_list rest;
    for (int i = 0; i < a.rank; ++i)
        if (!b.contains(a[i])) rest.push(a[i]);
    return rest;
}

namespace detail {
constexpr void copy_vjp(builder& graph, int id, int cotangent);
}  // namespace detail

/// `x` with its axes in the order of `axes`, dense.
constexpr value arrange(value x, axis_list axes) {
    builder& graph = x.graph();
    node n;
    if (x.axes() == axes) {
        if (is_dense(graph, x.get()) && x.get().op != kind::constant) return x;
        if (x.get().op == kind::constant) return broadcast_to(x, axes);
    }
    n.op = kind::copy;
    n.vjp = &detail::copy_vjp;
    n.type = x.get().type;
    n.axes = axes;
    n.add_input(x.id());
    return {graph, graph.emit(n)};
}

/// `x` itself if it lies row-major without gaps, else a copy that does.
constexpr value dense(value x) {
    return is_dense(x.graph(), x.get()) ? x : arrange(x, x.axes());
}

namespace detail {
constexpr void reduce_sum_vjp(builder& graph, int id, int cotangent);
constexpr void reduce_extremum_vjp(builder& graph, int id, int cotangent);

// The axes of `a` that are not in `b`, then those of `a` that are.
constexpr axis_list moved_last(axis_list const& a, axis_list const& b) {
    axis_list order = minus(a, b);
    for (int i = 0; i < a.rank; ++i)
        if (b.contains(a[i])) order.push(a[i]);
    return order;
}

constexpr bool stand_together(axis_list const& a, axis_list const& b) {
    int first = a.rank, last = -1;
    for (int i = 0; i < a.rank; ++i)
        if (b.contains(a[i])) {
            first = i < first ? i : first;
            last = i;
        }
    return last - first + 1 == b.rank;
}

constexpr value reduce_runs(value x, axis_list over, kind op) {
    builder& graph = x.graph();
    x = as_real(x);
    // Extrema in one go: equal ones share the gradient evenly over all of the axes.
    if (op != kind::reduce_sum && !stand_together(x.axes(), over)) x = arrange(x, moved_last(x.axes(), over));
    x = dense(x);
    while (over.rank > 0) {
        axis_list const axes = x.axes();
        int last = axes.rank - 1;
        while (!over.contains(axes[last])) --last;
        int first = last;
        while (first > 0 && over.contains(axes[first - 1])) --first;
        node n;
        n.op = op;
        n.vjp = op == kind::reduce_sum ? &reduce_sum_vjp : &reduce_extremum_vjp;
        n.add_input(x.id());
        for (int i = 0; i < axes.rank; ++i)
            if (i < first || i > last) n.axes.push(axes[i]);
            else n.over.push(axes[i]);
        over = minus(over, n.over);
        x = value(graph, graph.emit(n));
    }
    return x;
}
}  // namespace detail

/// The sum of `x` over the axes `over`; the others keep their order.
constexpr value reduce_sum(value x, axis_list const& over) {
    return detail::reduce_runs(x, over, kind::reduce_sum);
}
/// The greatest element over the axes `over`.
constexpr value reduce_max(value x, axis_list const& over) {
    return detail::reduce_runs(x, over, kind::reduce_max);
}
/// The least element over the axes `over`.
constexpr value reduce_min(value x, axis_list const& over) {
    return detail::reduce_runs(x, over, kind::reduce_min);
}

/// The cotangent of an operand with the axes `axes` that was broadcast: summed over what it lacked.
constexpr value sum_to(value x, axis_list axes) {
    axis_list over;
    for (int i = 0; i < x.axes().rank; ++i)
        if (!axes.contains(x.axes()[i])) over.push(x.axes()[i]);
    if (over.rank > 0) x = reduce_sum(x, over);
    if (x.axes().rank < axes.rank) return broadcast_to(x, axes);
    return x.axes() == axes ? x : arrange(x, axes);
}

namespace detail {
constexpr void copy_vjp(builder& graph, int id, int cotangent) {
    const int x = graph.at(id).input[0];
    accumulate(graph, x, value(graph, cotangent));
}

constexpr void reduce_sum_vjp(builder& graph, int id, int cotangent) {
    const int x = graph.at(id).input[0];
    accumulate(graph, x, broadcast_to(value(graph, cotangent), graph.at(x).axes));
}
}  // namespace detail

}  // namespace tenet::graph

// The gradient of the greatest element needs arithmetic, which is written on values.
#include <tenet/graph/arithmetic.hpp>
