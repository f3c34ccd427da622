// SPDX-License-Identifier: MIT
// base: sizes that may be known at compile time. A kernel takes `auto n` and works with both
// `constant<64>{}` and a plain `std::size_t`.
#pragma once

#include <cstddef>
#include <type_traits>

namespace tenet {

/// A size known at compile time; converts to `std::size_t` in constant expressions.
template <std::size_t N>
using constant = std::integral_constant<std::size_t, N>;

/// Whether `S` is a `constant<N>` rather than a run-time number.
template <class S>
inline constexpr bool is_constant = false;
template <std::size_t N>
inline constexpr bool is_constant<constant<N>> = true;

/// The value of a `constant<N>`, or 0 for a size known only at run time.
template <class S>
inline constexpr std::size_t constant_or_zero = 0;
template <std::size_t N>
inline constexpr std::size_t constant_or_zero<constant<N>> = N;

}  // namespace tenet
