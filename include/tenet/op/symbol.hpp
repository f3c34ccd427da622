// SPDX-License-Identifier: MIT
// op: the typed handle that model code computes with. Element type and axes are in its type; the node is its value.
#pragma once

#include <concepts>
#include <type_traits>

#include <tenet/base/mistake.hpp>
#include <tenet/graph/reduction.hpp>
#include <tenet/shape/axes.hpp>
#include <tenet/tensor/dtype.hpp>

namespace tenet {

/// A value inside a program that is being traced: element type `Type`, axes `Axes`.
template <dtype Type, class Axes>
class symbol {
public:
    using axes_type = Axes;
    static constexpr dtype type = Type;

    constexpr symbol() = default;
    constexpr explicit symbol(graph::value v) : value_(v) {}
    constexpr graph::value value() const { return value_; }
    constexpr graph::builder& graph() const { return value_.graph(); }
    constexpr int id() const { return value_.id(); }

private:
    graph::value value_;
};

namespace detail {

/// The position of the axis type `A` in the graph's table.
template <class A>
constexpr int axis_id(graph::builder& g) {
    return g.axis_id(&axis_info_of<A>);
}

/// The list of axes `L` in the graph's numbering.
template <class L>
struct axis_ids;
template <class... A>
struct axis_ids<axes<A...>> {
    static_assert(sizeof...(A) <= static_cast<std::size_t>(graph::max_rank), "axes<A...>: a tensor has at most 8 axes");
    static constexpr graph::axis_list in([[maybe_unused]] graph::builder& g) {
        graph::axis_list list;
        (list.push(axis_id<A>(g)), ...);
        return list;
    }
};

template <class X>
inline constexpr bool is_symbol = false;
template <dtype T, class L>
inline constexpr bool is_symbol<symbol<T, L>> = true;

// The extent that an error states; `first_missing` and its kin give void where there is no error.
template <class A>
constexpr std::size_t extent_of() {
    if constexpr (std::is_void_v<A>) return 0;
    else return A::capacity;
}

// The handle of a node, typed: the node's axes are put into the order of the type if they differ.
template <dtype T, class L>
constexpr symbol<T, L> typed(graph::value v) {
    const graph::axis_list order = axis_ids<L>::in(v.graph());
    if (!(v.axes() == order)) v = v.axes().same_set(order) ? graph::arrange(v, order) : graph::broadcast_to(v, order);
    return symbol<T, L>(v);
}

}  // namespace detail
}  // namespace tenet
