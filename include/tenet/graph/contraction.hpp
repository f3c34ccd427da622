// SPDX-License-Identifier: MIT
// graph: how a contraction of two tensors becomes matrix products. The axes fall into four groups: batch (in both
// operands and the result), rows (left and result), columns (right and result), inner (both operands). Each group
// must be walkable with one stride in each tensor that has it; what cannot be merged becomes an outer loop.
#pragma once

#include <tenet/graph/geometry.hpp>
#include <tenet/graph/node.hpp>

namespace tenet::graph {

/// A contraction as a matrix product inside up to three outer loops. Numbers are positions in the tables of axes.
struct contraction_plan {
    bool possible = false;
    bool swapped = false;  ///< the result is written transposed: left and right change places
    axis_list rows, columns, inner;
    axis_list loops[3];  ///< each an outer loop over merged axes
    int loop_count = 0;
};

namespace detail {

// Splits a group (in the order of the result or of the left operand) into the innermost run that can be walked with
// one stride in all tensors, and outer runs.
template <class Graph>
constexpr int merge_group(Graph const& graph, axis_list const& group, node const* const (&tensors)[3], int count,
                          axis_list (&runs)[max_rank]) {
    int n = 0;
    for (int i = group.rank - 1; i >= 0; --i) {
        bool join = i + 1 < group.rank;
        for (int t = 0; join && t < count; ++t) {
            const int outer = tensors[t]->axes.find(group[i]), inner = tensors[t]->axes.find(group[i + 1]);
            join = mergeable(graph, tensors[t]->axes, geometry_of(*tensors[t]), outer, inner);
        }
        if (!join) ++n;
        axis_list& run = runs[n - 1];
        axis_list front;
        front.push(group[i]);
        for (int j = 0; j < run.rank; ++j) front.push(run[j]);
        run = front;
    }
    return n;
}

template <class Graph>
constexpr bool unit_stride(Graph const& graph, node const& n, axis_list const& group) {
    if (group.rank == 0) return true;
    const geometry g = geometry_of(n);
    static_cast<void>(graph);
    return g.position[n.axes.find(group[group.rank - 1])] + 1 == g.physical.rank;
}

}  // namespace detail

/// Plans `result = contraction of a and b` (nodes with their axes): inner axes are those of a and b not in result.
template <class Graph>
constexpr contraction_plan plan_contraction(Graph const& graph, node const& a, node const& b, node const& result) {
    contraction_plan plan;
    axis_list batch, rows, columns, inner;
    for (int i = 0; i < result.axes.rank; ++i) {
        const int axis = result.axes[i];
        const bool in_a = a.axes.contains(axis), in_b = b.axes.contains(axis);
        if (in_a && in_b) batch.push(axis);
        else if (in_a) rows.push(axis);
        else columns.push(axis);
    }
    for (int i = 0; i < a.axes.rank; ++i)
        if (!result.axes.contains(a.axes[i])) inner.push(a.axes[i]);

    axis_list runs[max_rank];
    const auto add_loop = [&](axis_list const& run) {
        if (plan.loop_count == 3) return false;
        plan.loops[plan.loop_count++] = run;
        return true;
    };
    {
        node const* const tensors[3] = {&a, &b, nullptr};
        const int n = detail::merge_group(graph, inner, tensors, 2, runs);
        if (n > 1) return plan;
        plan.inner = inner;
    }
    bool fits = true;
    const auto split = [&](axis_list const& group, node const* first, node const* second, node const* third,
                           bool all_loops, axis_list& kept) {
        axis_list local[max_rank];
        node const* const tensors[3] = {first, second, third};
        const int n = detail::merge_group(graph, group, tensors, third ? 3 : 2, local);
        for (int i = 0; i < n; ++i)
            if (i == 0 && !all_loops) kept = local[0];
            else fits = fits && add_loop(local[i]);
    };
    axis_list none;
    split(rows, &a, &result, nullptr, false, plan.rows);
    split(columns, &b, &result, nullptr, false, plan.columns);
    split(batch, &a, &b, &result, true, none);
    if (!fits) return plan;
    if (detail::unit_stride(graph, result, plan.columns) && plan.columns.rank > 0) plan.possible = true;
    else if (plan.rows.rank > 0 && detail::unit_stride(graph, result, plan.rows)) plan.possible = plan.swapped = true;
    else if (plan.columns.rank == 0 && plan.rows.rank > 0) plan.possible = true;  // a matrix times a vector
    return plan;
}

}  // namespace tenet::graph
