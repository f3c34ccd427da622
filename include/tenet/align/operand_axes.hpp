// SPDX-License-Identifier: MIT
// align: the one shape rule of losses over rows: all operands have the axes that the loss is named over, and no others.
// A log-probability that still has its time axis, or a reward of other rows, would be broadcast in silence.
#pragma once

#include <tenet/op/apply.hpp>
#include <tenet/shape/axes.hpp>

namespace tenet {
namespace error {
/// A loss over `Expected` was given an operand with the axes `Found`: reduce it, or name the axes that it has.
template <class Loss, class Expected, class Found>
struct loss_operand_axes_differ;
}  // namespace error

namespace detail {

template <class Expected, class... X>
struct odd_operand {
    using type = void;
};
template <class Expected, class X, class... Rest>
struct odd_operand<Expected, X, Rest...>
    : std::conditional_t<shape::same_set<Expected, typename X::axes_type> && Expected::rank == X::axes_type::rank,
                         odd_operand<Expected, Rest...>, std::type_identity<typename X::axes_type>> {};

/// The axes of the first operand that are not `Expected`; void if there is none.
template <class Expected, class... X>
using odd_axes = typename odd_operand<Expected, std::remove_cvref_t<X>...>::type;

template <class... X>
inline constexpr bool with_poison = (PoisonOperand<X> || ...);

/// Whether the operands of a loss are right, as a type: true_type, false_type (reported), or poison already.
template <class Loss, class Expected, class... X>
constexpr auto check_operands() {
    if constexpr (with_poison<X...>) {
        return std::false_type{};
    } else if constexpr (!std::is_void_v<odd_axes<Expected, X...>>) {
        static_cast<void>(sizeof(error::loss_operand_axes_differ<Loss, Expected, odd_axes<Expected, X...>>));
        return std::false_type{};
    } else {
        return std::true_type{};
    }
}
template <class Loss, class Expected, class... X>
inline constexpr bool operands_fit = decltype(check_operands<Loss, Expected, X...>())::value;

}  // namespace detail
}  // namespace tenet
