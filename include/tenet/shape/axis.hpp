// SPDX-License-Identifier: MIT
// shape: an axis is a type. Its name is the type's name, its size a constant, or a capacity with a run-time extent.
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

#include <tenet/base/type_name.hpp>

namespace tenet {

/// An axis whose extent is `N`, known at compile time.
///
///     struct Time : axis<64> {};     // a named axis: the way to write models
///     axis<3>                        // an unnamed one: named by its size
template <std::size_t N>
struct axis {
    static_assert(N > 0, "axis<N>: N must be positive");
    static constexpr std::size_t capacity = N;
    static constexpr bool is_static = true;
};

/// An axis whose extent is chosen at run time, up to the capacity `N`: the last partial batch, a sequence length,
/// the tokens generated so far. Memory is planned for the capacity; kernels run over the extent.
template <std::size_t N>
struct at_most {
    static_assert(N > 0, "at_most<N>: N must be positive");
    static constexpr std::size_t capacity = N;
    static constexpr bool is_static = false;
};

/// The positional axis of `ndarray<T, ...>`: `Position` counts from the last axis, as NumPy's broadcasting does.
template <std::size_t Position, std::size_t N>
struct dim : axis<N> {};

/// Satisfied by every axis type: derived from `axis<N>` or `at_most<N>`.
template <class A>
concept Axis = requires {
    { A::capacity } -> std::convertible_to<std::size_t>;
    { A::is_static } -> std::convertible_to<bool>;
};

namespace detail {
template <class A>
struct axis_identity {
    using type = A;
};
// Positional axes of different sizes are the same axis: their sizes must agree.
template <std::size_t Position, std::size_t N>
struct axis_identity<dim<Position, N>> {
    using type = std::integral_constant<std::size_t, Position>;
};
}  // namespace detail

/// Whether `A` and `B` stand for the same axis (for named axes: are the same type).
template <class A, class B>
inline constexpr bool same_axis =
    std::is_same_v<typename detail::axis_identity<A>::type, typename detail::axis_identity<B>::type>;

/// What the graph keeps of an axis: one object an axis type, told apart by its address.
struct axis_info {
    std::string_view name;
    std::size_t capacity;
    bool is_static;
};

/// The `axis_info` of the axis type `A`.
template <Axis A>
inline constexpr axis_info axis_info_of{short_type_name<A>(), A::capacity, A::is_static};

}  // namespace tenet
