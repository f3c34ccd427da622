// SPDX-License-Identifier: MIT
// shape: contraction over named axes. Axes of both operands that are not contracted are batch axes.
#pragma once

#include <cstddef>
#include <type_traits>

#include <tenet/shape/axes.hpp>

namespace tenet {
namespace error {
/// dot<A>(x, y): x has no axis A.
template <class A, std::size_t Extent, class LeftAxes>
struct dot_axis_missing_on_left;
/// dot<A>(x, y): y has no axis A.
template <class A, std::size_t Extent, class RightAxes>
struct dot_axis_missing_on_right;
/// dot<A, A>(x, y) names an axis twice.
template <class A, std::size_t Extent>
struct dot_axis_repeated;
/// matmul(x, y): the last axis of x and the last but one of y have different sizes.
template <std::size_t LeftExtent, std::size_t RightExtent, class LeftAxes, class RightAxes>
struct matmul_inner_extents_differ;
/// einsum<axes<...>>(x...): no operand has the axis A of the result.
template <class A, std::size_t Extent>
struct einsum_axis_in_no_operand;
}  // namespace error

namespace shape {

/// The axes of `dot<K...>(x, y)`: those of x without K, then those that only y has.
template <class L, class R, class K>
using contraction = concat<minus<L, K>, minus<minus<R, K>, L>>;

}  // namespace shape

/// `dot<K...>` is defined for operands with the axes `L` and `R`: both have every axis of K.
template <class L, class R, class... K>
concept Contractible =
    shape::contains_all<axes<K...>, L> && shape::contains_all<axes<K...>, R> && shape::unique<axes<K...>>;

}  // namespace tenet
