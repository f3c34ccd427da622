// SPDX-License-Identifier: MIT
// op: what all element-wise operations share: the shape rule (broadcast by name), the element types, the front door.
//
// An operation is a struct with a name, a `forward` on registers and a `pullback` on graph values:
//
//     struct cube_op {
//         static constexpr std::string_view name = "cube";
//         template <class B> static B forward(B x) { return x * x * x; }
//         static constexpr graph::value pullback(graph::value dy, graph::value y, graph::value x) {
//             return dy * (3.0 * x * x);
//         }
//     };
//     auto y = elementwise<cube_op>(x);
//
// Without a `pullback` it can be used wherever no gradient is asked through it; asking is one error that names it.
#pragma once

#include <tenet/graph/arithmetic.hpp>
#include <tenet/op/apply.hpp>
#include <tenet/shape/broadcast.hpp>

namespace tenet {
namespace error {
/// An integer tensor where a real one is needed: `cast<real>(x)` makes one.
template <class Operation, dtype Found>
struct operation_needs_real_operands;
/// `where(mask, x, y)`: the first operand is not a mask (the result of a comparison).
template <dtype Found>
struct where_needs_a_mask;
}  // namespace error

namespace detail {

constexpr bool is_number_like(dtype t) {
    return t == dtype::real || t == dtype::boolean;
}

/// The function object of an element-wise operation on symbols.
template <class Op>
struct elementwise_function {
    static constexpr dtype result_type = graph::info_of<Op>.yields_boolean ? dtype::boolean : dtype::real;

    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        if constexpr (!is_number_like(T)) return broken_rule<error::operation_needs_real_operands<Op, T>>{};
        else return symbol<result_type, L>(graph::elementwise(graph::info_of<Op>, {x.value()}));
    }

    template <dtype T, class L, dtype U, class R>
    constexpr auto operator()(symbol<T, L> x, symbol<U, R> y) const {
        if constexpr (!is_number_like(T) && !(result_type == dtype::boolean && is_integral(T))) {
            return broken_rule<error::operation_needs_real_operands<Op, T>>{};
        } else if constexpr (!is_number_like(U) && !(result_type == dtype::boolean && is_integral(U))) {
            return broken_rule<error::operation_needs_real_operands<Op, U>>{};
        } else if constexpr (!Broadcastable<L, R>) {
            using pair = shape::first_conflict<L, R>;
            return broken_rule<
                error::broadcast_extents_differ<Op, typename pair::first_type, pair::first_type::capacity,
                                                typename pair::second_type, pair::second_type::capacity>>{};
        } else {
            return typed<result_type, shape::broadcast<L, R>>(
                graph::elementwise(graph::info_of<Op>, {x.value(), y.value()}));
        }
    }

    template <dtype T, class L, dtype U, class R, dtype V, class S>
    constexpr auto operator()(symbol<T, L> x, symbol<U, R> y, symbol<V, S> z) const {
        if constexpr (!is_number_like(T)) return broken_rule<error::operation_needs_real_operands<Op, T>>{};
        else if constexpr (!is_number_like(U)) return broken_rule<error::operation_needs_real_operands<Op, U>>{};
        else if constexpr (!is_number_like(V)) return broken_rule<error::operation_needs_real_operands<Op, V>>{};
        else if constexpr (!Broadcastable<L, R>) {
            using pair = shape::first_conflict<L, R>;
            return broken_rule<
                error::broadcast_extents_differ<Op, typename pair::first_type, pair::first_type::capacity,
                                                typename pair::second_type, pair::second_type::capacity>>{};
        } else if constexpr (!Broadcastable<shape::broadcast<L, R>, S>) {
            using pair = shape::first_conflict<shape::broadcast<L, R>, S>;
            return broken_rule<
                error::broadcast_extents_differ<Op, typename pair::first_type, pair::first_type::capacity,
                                                typename pair::second_type, pair::second_type::capacity>>{};
        } else {
            return typed<result_type, shape::broadcast<shape::broadcast<L, R>, S>>(
                graph::elementwise(graph::info_of<Op>, {x.value(), y.value(), z.value()}));
        }
    }

    static constexpr bool is_integral(dtype t) { return t == dtype::int32 || t == dtype::int64; }
};

}  // namespace detail

/// Applies the element-wise operation `Op`, built-in or a user's own, to one, two or three operands broadcast by name.
/// Inside a program, operands may be numbers; outside, the result is an expression.
template <class Op, class... X>
requires((Operand<X> || detail::Number<X>) && ...) && (Operand<X> || ...)
constexpr auto elementwise(X&&... x) {
    return detail::apply(detail::elementwise_function<Op>{}, std::forward<X>(x)...);
}

namespace detail {
template <class X, class Y>
concept BinaryOperands = (Operand<X> && (Operand<Y> || Number<Y>)) || (Operand<Y> && Number<X>);
}

}  // namespace tenet
