// SPDX-License-Identifier: MIT
// op: + - * / and negation, element by element, broadcast by name.
#pragma once

#include <tenet/op/elementwise.hpp>

namespace tenet {

/// z = x + y. dx = dz, dy = dz, each summed over the axes it was repeated along. PyTorch: torch.add.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto operator+(X&& x, Y&& y) {
    return elementwise<graph::add_op>(std::forward<X>(x), std::forward<Y>(y));
}

/// z = x - y. dx = dz, dy = -dz. PyTorch: torch.sub.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto operator-(X&& x, Y&& y) {
    return elementwise<graph::subtract_op>(std::forward<X>(x), std::forward<Y>(y));
}

/// z = x y, element by element. dx = dz y, dy = dz x. PyTorch: torch.mul.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto operator*(X&& x, Y&& y) {
    return elementwise<graph::multiply_op>(std::forward<X>(x), std::forward<Y>(y));
}

/// z = x / y. dx = dz / y, dy = -dz x / y^2. Division by zero gives infinities or NaN, as IEEE 754 says.
/// PyTorch: torch.div.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto operator/(X&& x, Y&& y) {
    return elementwise<graph::divide_op>(std::forward<X>(x), std::forward<Y>(y));
}

/// y = -x. PyTorch: torch.neg.
template <Operand X>
constexpr auto operator-(X&& x) {
    return elementwise<graph::negate_op>(std::forward<X>(x));
}

/// x + y, x - y, x * y, x / y and -x under the names of NumPy and PyTorch.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto add(X&& x, Y&& y) {
    return std::forward<X>(x) + std::forward<Y>(y);
}
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto subtract(X&& x, Y&& y) {
    return std::forward<X>(x) - std::forward<Y>(y);
}
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto multiply(X&& x, Y&& y) {
    return std::forward<X>(x) * std::forward<Y>(y);
}
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto divide(X&& x, Y&& y) {
    return std::forward<X>(x) / std::forward<Y>(y);
}
template <Operand X>
constexpr auto negate(X&& x) {
    return -std::forward<X>(x);
}

}  // namespace tenet
