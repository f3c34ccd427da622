// SPDX-License-Identifier: MIT
// graph: an untyped handle of a node, and the nodes that have no operand. Shape rules have been checked by the typed
// front door (op/); here shapes are data, so that gradients are ordinary code over them.
#pragma once

#include <tenet/graph/builder.hpp>

namespace tenet::graph {

/// A node of a graph under construction.
class value {
public:
    constexpr value() = default;
    constexpr value(builder& graph, int id) : graph_(&graph), id_(id) {}
    constexpr builder& graph() const { return *graph_; }
    constexpr int id() const { return id_; }
    constexpr node const& get() const { return graph_->at(id_); }
    constexpr axis_list const& axes() const { return get().axes; }
    constexpr bool exists() const { return id_ >= 0; }

private:
    builder* graph_ = nullptr;
    int id_ = -1;
};

/// The union of two lists: the one that holds all axes gives the order, else the left one followed by the rest.
constexpr axis_list broadcast_axes(axis_list const& a, axis_list const& b) {
    bool b_has_all = true;
    for (int i = 0; i < a.rank; ++i) b_has_all = b_has_all && b.contains(a[i]);
    bool a_has_all = true;
    for (int i = 0; i < b.rank; ++i) a_has_all = a_has_all && a.contains(b[i]);
    if (b_has_all && !a_has_all) return b;
    axis_list all = a;
    for (int i = 0; i < b.rank; ++i)
        if (!all.contains(b[i]) && all.rank < max_rank) all.push(b[i]);
    return all;
}

/// A number.
constexpr value constant(builder& graph, double number) {
    node n;
    n.op = kind::constant;
    n.number[0] = number;
    return {graph, graph.emit(n)};
}

/// 1 / (number of elements along `over`), at its run-time extent.
constexpr value inverse_count(builder& graph, axis_list const& over) {
    if (graph.is_static(over)) return constant(graph, 1.0 / static_cast<double>(graph.capacity(over)));
    node n;
    n.op = kind::inverse_count;
    n.over = over;
    return {graph, graph.emit(n)};
}

}  // namespace tenet::graph
