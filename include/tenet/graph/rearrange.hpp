// SPDX-License-Identifier: MIT
// graph: nodes that change the axes and not the numbers. Renaming, splitting and merging cost nothing (the memory is
// the same), selecting and slicing look into the operand's memory, padding and concatenation copy.
#pragma once

#include <initializer_list>

#include <tenet/graph/arithmetic.hpp>

namespace tenet::graph {

/// `x`, computed into memory if it is a number or a counter that usually lives in registers only.
constexpr value in_memory(value x) {
    switch (x.get().op) {
    case kind::constant:
    case kind::inverse_count:
    case kind::iota:
    case kind::random: return own_copy(x);
    default: return x;
    }
}

namespace detail {
constexpr void alias_vjp(builder& graph, int id, int cotangent);
constexpr void view_vjp(builder& graph, int id, int cotangent);
constexpr void pad_vjp(builder& graph, int id, int cotangent);
constexpr void concat_vjp(builder& graph, int id, int cotangent);

constexpr node view_of(value x) {
    const geometry g = geometry_of(x.get());
    node n;
    n.op = kind::view;
    n.vjp = &view_vjp;
    n.type = x.get().type;
    n.packed = x.get().packed;
    n.add_input(x.get().op == kind::view ? x.get().input[0] : x.id());
    n.physical = g.physical;
    for (int i = 0; i < max_rank; ++i) {
        n.position[i] = g.position[i];
        n.start[i] = g.start[i];
        n.partial[i] = g.partial[i];
    }
    return n;
}
}  // namespace detail

/// The memory of `x` under other axes with the same number of elements.
constexpr value reshape(value x, axis_list axes) {
    x = dense(in_memory(x));
    if (x.axes() == axes) return x;
    node n;
    n.op = kind::alias;
    n.vjp = &detail::alias_vjp;
    n.type = x.get().type;
    n.axes = axes;
    n.add_input(x.id());
    return {x.graph(), x.graph().emit(n)};
}

/// `x` with the axis `from` called `to`; both have the same extent.
constexpr value rename(value x, int from, int to) {
    x = in_memory(x);
    axis_list axes = x.axes();
    axes.id[axes.find(from)] = static_cast<std::uint8_t>(to);
    node n;
    if (x.get().op == kind::view) {
        n = detail::view_of(x);
    } else {
        n.op = kind::alias;
        n.vjp = &detail::alias_vjp;
        n.type = x.get().type;
        n.packed = x.get().packed;
        n.add_input(x.id());
    }
    n.axes = axes;
    return {x.graph(), x.graph().emit(n)};
}

/// `x` at position `index` of the axis `axis`, which vanishes.
constexpr value select(value x, int axis, int index) {
    x = in_memory(x);
    node n = detail::view_of(x);
    const int k = x.axes().find(axis);
    const int p = n.position[k];
    n.start[p] += index;
    n.partial[p] = true;
    for (int i = 0; i < x.axes().rank; ++i) {
        if (i == k) continue;
        n.position[n.axes.rank] = geometry_of(x.get()).position[i];
        n.axes.push(x.axes()[i]);
    }
    for (int i = n.axes.rank; i < max_rank; ++i) n.position[i] = 0;
    return {x.graph(), x.graph().emit(n)};
}

/// The part of `x` from position `start` of the axis `from`, as long as the axis `to`.
constexpr value slice(value x, int from, int to, int start) {
    x = in_memory(x);
    node n = detail::view_of(x);
    n.axes = x.axes();
    const int k = n.axes.find(from);
    n.start[n.position[k]] += start;
    n.partial[n.position[k]] = true;
    n.axes.id[k] = static_cast<std::uint8_t>(to);
    return {x.graph(), x.graph().emit(n)};
}

/// `x` as a part of a tensor with the axes `axes`, the rest filled with `fill`; `view` tells where the part lies.
constexpr value place(value x, axis_list axes, node const& view, double fill) {
    node n;
    n.op = kind::pad;
    n.vjp = &detail::pad_vjp;
    n.type = x.get().type;
    n.axes = axes;
    n.add_input(arrange(x, x.axes()).id());
    for (int i = 0; i < max_rank; ++i) {
        n.position[i] = view.position[i];
        n.start[i] = view.start[i];
        n.partial[i] = view.partial[i];
    }
    n.number[0] = fill;
    return {x.graph(), x.graph().emit(n)};
}

/// `x` from position `before` of the axis `to` (in place of `from`), the rest of it filled with `fill`.
constexpr value pad(value x, int from, int to, int before, double fill) {
    x = dense(in_memory(x));
    node part;
    axis_list axes = x.axes();
    const int k = axes.find(from);
    axes.id[k] = static_cast<std::uint8_t>(to);
    for (int i = 0; i < axes.rank; ++i) part.position[i] = static_cast<std::uint8_t>(i);
    part.start[k] = before;
    part.partial[k] = true;
    return place(x, axes, part, fill);
}

/// The operands one after the other along the axis `axis` of the result, whose axes are `axes`.
constexpr value concat(builder& graph, std::initializer_list<value> operands, axis_list axes, int axis) {
    node n;
    n.op = kind::concat;
    n.vjp = &detail::concat_vjp;
    n.axes = axes;
    n.over.push(axis);
    for (value x : operands) {
        n.type = x.get().type;
        n.add_input(dense(in_memory(x)).id());
    }
    return {graph, graph.emit(n)};
}

namespace detail {

constexpr void alias_vjp(builder& graph, int id, int cotangent) {
    const int x = graph.at(id).input[0];
    accumulate(graph, x, reshape(value(graph, cotangent), graph.at(x).axes));
}

constexpr void view_vjp(builder& graph, int id, int cotangent) {
    const node n = graph.at(id);
    accumulate(graph, n.input[0], place(value(graph, cotangent), graph.at(n.input[0]).axes, n, 0));
}

constexpr value part_of(value x, node const& part, axis_list axes) {
    node n;
    n.op = kind::view;
    n.vjp = &view_vjp;
    n.type = x.get().type;
    n.add_input(x.id());
    n.axes = axes;
    n.physical = x.axes();
    for (int i = 0; i < max_rank; ++i) {
        n.position[i] = part.position[i];
        n.start[i] = part.start[i];
        n.partial[i] = part.partial[i];
    }
    return {x.graph(), x.graph().emit(n)};
}

constexpr void pad_vjp(builder& graph, int id, int cotangent) {
    const node n = graph.at(id);
    const value dy = dense(in_memory(value(graph, cotangent)));
    accumulate(graph, n.input[0], part_of(dy, n, graph.at(n.input[0]).axes));
}

constexpr void concat_vjp(builder& graph, int id, int cotangent) {
    const node n = graph.at(id);
    const value dy = dense(in_memory(value(graph, cotangent)));
    const int k = n.axes.find(n.over[0]);
    std::size_t offset = 0;
    for (int i = 0; i < n.input_count; ++i) {
        const axis_list axes = graph.at(n.input[i]).axes;
        node part;
        for (int j = 0; j < axes.rank; ++j) part.position[j] = static_cast<std::uint8_t>(j);
        part.start[k] = static_cast<std::int32_t>(offset);
        part.partial[k] = true;
        offset += graph.capacity(axes[k]);
        accumulate(graph, n.input[i], part_of(dy, part, axes));
    }
}

}  // namespace detail

}  // namespace tenet::graph
