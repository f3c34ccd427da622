// SPDX-License-Identifier: MIT
// graph: element-wise functions of values: the descriptor of an operation, made from its struct, and the identity,
// which repeats, reorders and copies.
#pragma once

#include <initializer_list>
#include <string_view>

#include <tenet/graph/value.hpp>
#include <tenet/simd/batch.hpp>

namespace tenet::graph {

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

/// Adds `dy` to the cotangent of `operand` (cotangent.hpp).
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

}  // namespace tenet::graph

// What gradients are added up with is written on values.
#include <tenet/graph/cotangent.hpp>
