// SPDX-License-Identifier: MIT
// graph: how cotangents are added up during a reverse sweep.
#pragma once

#include <array>
#include <string_view>

#include <tenet/graph/elementwise.hpp>

namespace tenet::graph {

constexpr value arrange(value x, axis_list axes);
constexpr value sum_to(value x, axis_list axes);

namespace detail {
struct add_op {
    static constexpr std::string_view name = "add";
    template <class B>
    static B forward(B x, B y) {
        return x + y;
    }
    static constexpr std::array<value, 2> pullback(value dy, value, value, value) { return {dy, dy}; }
};
}  // namespace detail

/// Adds `dy` to the cotangent of `operand`, summed over the axes that `operand` was repeated along.
constexpr void accumulate(builder& graph, int operand, value dy) {
    sweep& state = *graph.cotangents;
    if (operand >= static_cast<int>(state.active.size()) || !state.active[static_cast<std::size_t>(operand)]) return;
    dy = sum_to(dy, graph.at(operand).axes);
    if (state.sinks && graph.at(operand).op == kind::parameter) {
        node n;
        n.op = kind::sink;
        n.shared = false;
        n.add_input(arrange(dy, dy.axes()).id());
        n.add_input(operand);
        graph.emit(n);
        return;
    }
    int& cotangent = state.cotangent[static_cast<std::size_t>(operand)];
    cotangent = cotangent < 0 ? dy.id() : elementwise(info_of<detail::add_op>, {value(graph, cotangent), dy}).id();
}

}  // namespace tenet::graph

// What `arrange` and `sum_to` are: they are written on values whose cotangents are added up here.
#include <tenet/graph/reduction.hpp>
