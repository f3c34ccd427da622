// SPDX-License-Identifier: MIT
// program: the values of expressions on tensors. An expression runs when it is assigned, or when its value is asked
// for; what is element-wise is one fused loop.
#pragma once

#include <algorithm>
#include <tuple>
#include <type_traits>
#include <utility>

#include <tenet/program/expression_program.hpp>

namespace tenet {
namespace error {
/// A tensor is assigned an expression with other axes.
template <class TensorAxes, class ExpressionAxes>
struct assignment_axes_differ;
/// A tensor is assigned an expression of another element type.
template <class TensorElement, class ExpressionElement>
struct assignment_element_types_differ;
}  // namespace error

/// Computes the expression `e` into the tensor `t`, whose axes are those of `e` in any order; the extents of `at_most`
/// axes become those of the operands. `a = a - 2 * a` is right: where an operand would be overwritten too early, a
/// temporary is used. Errors: `exception` if the extents of the operands differ.
template <class F, class... X, class T, class... A>
void evaluate_into(expression<F, X...> const& e, tensor<T, A...>& t) {
    using E = expression<F, X...>;
    using real = detail::expression_real<E>;
    using S = typename E::symbol_type;
    using element = typename detail::storage_type<S::type, real>::type;
    if constexpr (std::is_same_v<real, poison>) {
        return;
    } else if constexpr (!shape::same_set<axes<A...>, typename S::axes_type>) {
        static_cast<void>(sizeof(error::assignment_axes_differ<axes<A...>, typename S::axes_type>));
    } else if constexpr (!std::is_same_v<T, element>) {
        static_cast<void>(sizeof(error::assignment_element_types_differ<T, element>));
    } else {
        detail::with_plan(e, [&]<bool Shared>() {
            using P = typename detail::expression_program_of<E, Shared, axes<A...>, program_mode::forward,
                                                             std::tuple<>>::type;
            const auto write_to = [&](tensor<T, A...>& target) {
                detail::run_expression<P>(e, [&](detail::run_context<P>& c) {
                    target.set_extents(detail::extents_of<P, P::image.outputs[0], sizeof...(A)>(c));
                    c.outputs[0] = reinterpret_cast<std::byte*>(target.data());
                });
            };
            if (detail::may_write_in_place<P, tensor<T, A...>>(e, t.data())) {
                write_to(t);
            } else {
                tensor<T, A...> aside;
                write_to(aside);
                t = std::move(aside);
            }
        });
    }
}

/// The value of an expression as a tensor (for a scalar, as a number).
template <class F, class... X>
auto evaluate(expression<F, X...> const& e) {
    using E = expression<F, X...>;
    using tensor_type = typename detail::tensor_of<typename E::symbol_type, detail::expression_real<E>>::type;
    tensor_type t;
    evaluate_into(e, t);
    if constexpr (tensor_type::rank == 0) return t.data()[0];
    else return t;
}

/// `x` as a tensor of another element type.
template <class To, class T, class... A>
tensor<To, A...> convert(tensor<T, A...> const& x) {
    tensor<To, A...> y;
    y.set_extents(x.extents());
    std::transform(x.begin(), x.end(), y.begin(), [](T v) { return static_cast<To>(v); });
    return y;
}

}  // namespace tenet
