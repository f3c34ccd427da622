// SPDX-License-Identifier: MIT
// shape: lists of axes and the set algebra that every shape rule is made of.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <tenet/shape/axis.hpp>

namespace tenet {

/// An ordered list of axes: the shape of a tensor. The last axis is contiguous in memory (row-major).
template <class... A>
struct axes {
    static_assert((Axis<A> && ...), "axes<A...>: every A must be an axis: derived from axis<N> or at_most<N>");
    static constexpr std::size_t rank = sizeof...(A);
    /// Product of the capacities: the number of elements when every extent is full.
    static constexpr std::size_t capacity = (std::size_t{1} * ... * A::capacity);
    static constexpr bool is_static = (true && ... && A::is_static);
};

namespace shape {

/// Whether the axis `A` is in the list `L`.
template <class A, class L>
inline constexpr bool contains = false;
template <class A, class... B>
inline constexpr bool contains<A, axes<B...>> = (std::is_same_v<A, B> || ...);

/// Whether every axis of `Sub` is in `L`.
template <class Sub, class L>
inline constexpr bool contains_all = false;
template <class... A, class L>
inline constexpr bool contains_all<axes<A...>, L> = (contains<A, L> && ...);

/// Whether two lists hold the same axes in any order.
template <class L, class M>
inline constexpr bool same_set = contains_all<L, M> && contains_all<M, L>;

/// Whether no axis stands twice in the list.
template <class L>
inline constexpr bool unique = true;
template <class A, class... B>
inline constexpr bool unique<axes<A, B...>> = !contains<A, axes<B...>> && unique<axes<B...>>;

namespace detail {

template <class... L>
struct concat;
template <>
struct concat<> {
    using type = axes<>;
};
template <class... A>
struct concat<axes<A...>> {
    using type = axes<A...>;
};
template <class... A, class... B, class... Rest>
struct concat<axes<A...>, axes<B...>, Rest...> : concat<axes<A..., B...>, Rest...> {};

template <class L, class R>
struct minus;
template <class... A, class R>
struct minus<axes<A...>, R> : concat<std::conditional_t<contains<A, R>, axes<>, axes<A>>...> {};

template <class L, class R>
struct intersection;
template <class... A, class R>
struct intersection<axes<A...>, R> : concat<std::conditional_t<contains<A, R>, axes<A>, axes<>>...> {};

template <class L, class From, class To>
struct replace;
template <class... A, class From, class... To>
struct replace<axes<A...>, From, axes<To...>>
    : concat<std::conditional_t<std::is_same_v<A, From>, axes<To...>, axes<A>>...> {};

// The first axis of L that is not in R, or void.
template <class L, class R>
struct first_missing {
    using type = void;
};
template <class A, class... B, class R>
struct first_missing<axes<A, B...>, R>
    : std::conditional_t<contains<A, R>, first_missing<axes<B...>, R>, std::type_identity<A>> {};

// An axis of R that has the identity of A but another size, or void.
template <class A, class R>
struct conflicting {
    using type = void;
};
template <class A, class B, class... C>
struct conflicting<A, axes<B, C...>>
    : std::conditional_t<same_axis<A, B> && !std::is_same_v<A, B>, std::type_identity<B>, conflicting<A, axes<C...>>> {
};

// The first axis of L that conflicts with one of R, as a pair axes<of L, of R>, or void.
template <class L, class R>
struct first_conflict {
    using type = void;
};
template <class A, class... B, class R>
struct first_conflict<axes<A, B...>, R>
    : std::conditional_t<std::is_void_v<typename conflicting<A, R>::type>, first_conflict<axes<B...>, R>,
                         std::type_identity<std::pair<A, typename conflicting<A, R>::type>>> {};

// The first axis that stands twice in L, or void.
template <class L>
struct first_repeated {
    using type = void;
};
template <class A, class... B>
struct first_repeated<axes<A, B...>>
    : std::conditional_t<contains<A, axes<B...>>, std::type_identity<A>, first_repeated<axes<B...>>> {};

}  // namespace detail

/// The lists one after the other.
template <class... L>
using concat = typename detail::concat<L...>::type;
/// The axes of `L` that are not in `R`, in the order of `L`.
template <class L, class R>
using minus = typename detail::minus<L, R>::type;
/// The axes of `L` that are in `R`, in the order of `L`.
template <class L, class R>
using intersection = typename detail::intersection<L, R>::type;
/// `L` with the axis `From` replaced by the axes `To` (an `axes<...>`).
template <class L, class From, class To>
using replace = typename detail::replace<L, From, To>::type;
/// The first axis of `L` that is not in `R`, or void.
template <class L, class R>
using first_missing = typename detail::first_missing<L, R>::type;
/// The first axis of `L` that has another size in `R`, as std::pair of both, or void.
template <class L, class R>
using first_conflict = typename detail::first_conflict<L, R>::type;
/// The first axis that stands twice in `L`, or void.
template <class L>
using first_repeated = typename detail::first_repeated<L>::type;

/// Position of the axis `A` in the list `L`; the rank if it is not there.
template <class A, class... B>
constexpr std::size_t index_of(axes<B...>) {
    std::size_t i = 0, found = sizeof...(B);
    ((std::is_same_v<A, B> && found == sizeof...(B) ? void(found = i) : void(), ++i), ...);
    return found;
}

}  // namespace shape
}  // namespace tenet
