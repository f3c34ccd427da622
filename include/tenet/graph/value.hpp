// SPDX-License-Identifier: MIT
// graph: an untyped handle of a node, and the few emitters that every other one is made of. Shape rules have been
// checked by the typed front door (op/); here shapes are data, so that gradients are ordinary code over them.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <initializer_list>

#include <tenet/graph/builder.hpp>
#include <tenet/graph/geometry.hpp>

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

/// An element-wise function of one to three operands, broadcast by name; `axes` overrides the result's axes.
constexpr value elementwise(elementwise_info const& info, std::initializer_list<value> operands,
                            axis_list const* axes = nullptr, bool shared = true) {
    builder& graph = operands.begin()->graph();
    node n;
    n.op = kind::elementwise;
    n.function = &info;
    n.shared = shared;
    n.type = info.yields_boolean ? dtype::boolean : dtype::real;
    n.vjp = info.vjp;
    n.zero_gradient = info.zero_gradient;
    for (value const& x : operands) {
        n.axes = broadcast_axes(n.axes, x.axes());
        n.add_input(x.id());
    }
    if (axes != nullptr) n.axes = *axes;
    return {graph, graph.emit(n)};
}

constexpr void accumulate(builder& graph, int operand, value dy);

namespace detail {

template <class Op, class T>
simd::batch<T> call_batch([[maybe_unused]] simd::batch<T> a, [[maybe_unused]] simd::batch<T> b,
                          [[maybe_unused]] simd::batch<T> c) {
    if constexpr (requires { Op::forward(a, b, c); }) return Op::forward(a, b, c);
    else if constexpr (requires { Op::forward(a, b); }) return Op::forward(a, b);
    else return Op::forward(a);
}

template <class Op>
constexpr int arity_of() {
    using batch = simd::batch<float>;
    if constexpr (requires(batch x) { Op::forward(x, x, x); }) return 3;
    else if constexpr (requires(batch x) { Op::forward(x, x); }) return 2;
    else {
        static_assert(
            requires(batch x) { Op::forward(x); },
            "an element-wise operation needs: template <class B> static B forward(B x [, B y [, B z]])");
        return 1;
    }
}

template <class Op>
concept has_pullback = requires(value v) { Op::pullback(v, v, v); } || requires(value v) {
    Op::pullback(v, v, v, v);
} || requires(value v) { Op::pullback(v, v, v, v, v); };

template <class Op>
constexpr void run_pullback(builder& graph, int id, int cotangent) {
    // Defined before anyone takes its address: clang instantiates no later than that.
    const node n = graph.at(id);
    const value dy(graph, cotangent), y(graph, id);
    const auto x = [&](int i) { return value(graph, n.input[i]); };
    constexpr int arity = arity_of<Op>();
    if constexpr (arity == 1) {
        accumulate(graph, n.input[0], Op::pullback(dy, y, x(0)));
    } else if constexpr (arity == 2) {
        const auto dx = Op::pullback(dy, y, x(0), x(1));
        for (int i = 0; i < 2; ++i) accumulate(graph, n.input[i], dx[static_cast<std::size_t>(i)]);
    } else {
        const auto dx = Op::pullback(dy, y, x(0), x(1), x(2));
        for (int i = 0; i < 3; ++i) accumulate(graph, n.input[i], dx[static_cast<std::size_t>(i)]);
    }
}

template <class Op>
constexpr elementwise_info make_elementwise_info() {
    elementwise_info info{};
    info.name = Op::name;
    info.arity = arity_of<Op>();
    info.f32 = &call_batch<Op, float>;
    info.f64 = &call_batch<Op, double>;
    info.vjp = nullptr;
    if constexpr (has_pullback<Op>) info.vjp = &run_pullback<Op>;
    if constexpr (requires { Op::zero_gradient; }) info.zero_gradient = Op::zero_gradient;
    if constexpr (requires { Op::yields_boolean; }) info.yields_boolean = Op::yields_boolean;
    info.flops = 1;
    if constexpr (requires { Op::flops; }) info.flops = Op::flops;
    info.recomputed = requires { requires Op::recomputed; };
    return info;
}

}  // namespace detail

/// The descriptor of the element-wise operation `Op`.
template <class Op>
inline constexpr elementwise_info info_of = detail::make_elementwise_info<Op>();

namespace detail {
/// The operand itself: repeats it along further axes, or puts its axes in another order.
struct identity_op {
    static constexpr std::string_view name = "broadcast";
    static constexpr double flops = 0;
    template <class B>
    static B forward(B x) {
        return x;
    }
    static constexpr value pullback(value dy, value, value) { return dy; }
};
}  // namespace detail

/// `x` repeated along the axes that it lacks, its axes in the order of `axes`.
constexpr value broadcast_to(value x, axis_list axes) {
    if (x.axes() == axes && x.get().op != kind::constant) return x;
    return elementwise(info_of<detail::identity_op>, {x}, &axes);
}

/// A tensor of zeros.
constexpr value zeros(builder& graph, axis_list axes) {
    return broadcast_to(constant(graph, 0), axes);
}

/// `x` as real numbers: a mask becomes zeros and ones.
constexpr value as_real(value x) {
    const axis_list axes = x.axes();
    return x.get().type == dtype::real ? x : elementwise(info_of<detail::identity_op>, {x}, &axes);
}

/// A value of its own in the current region: what a loop carries must not alias anything else.
constexpr value own_copy(value x) {
    if (x.get().type == dtype::real) return elementwise(info_of<detail::identity_op>, {x}, &x.axes(), false);
    node n;
    n.op = kind::copy;
    n.shared = false;
    n.type = x.get().type;
    n.axes = x.axes();
    n.add_input(x.id());
    return {x.graph(), x.graph().emit(n)};
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
    axis_list order;
    for (int i = 0; i < a.rank; ++i)
        if (!b.contains(a[i])) order.push(a[i]);
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
        axis_list rest;
        for (int i = 0; i < over.rank; ++i)
            if (!n.over.contains(over[i])) rest.push(over[i]);
        over = rest;
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

/// The axes of `a` that are not in `b`.
constexpr axis_list minus(axis_list const& a, axis_list const& b) {
    axis_list rest;
    for (int i = 0; i < a.rank; ++i)
        if (!b.contains(a[i])) rest.push(a[i]);
    return rest;
}

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
