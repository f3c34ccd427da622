// SPDX-License-Identifier: MIT
// shape: rename, split, merge, slice, select, pad, concat: what changes the axes and not the numbers.
#pragma once

#include <cstddef>
#include <type_traits>

#include <tenet/shape/axes.hpp>

namespace tenet {

/// The axis of `concat<A, B>(x, y)` when no name is given: its extent is the sum.
template <class... A>
struct joined : axis<(A::capacity + ...)> {};

namespace error {
/// rename<From, To>(x): the extents differ.
template <class From, std::size_t FromExtent, class To, std::size_t ToExtent>
struct rename_extent_differs;
/// rename<From, To>(x): x has no axis From.
template <class From, std::size_t Extent, class OperandAxes>
struct rename_axis_not_in_operand;
/// rename<From, To>(x): x already has an axis To.
template <class To, std::size_t Extent, class OperandAxes>
struct rename_axis_already_in_operand;
/// split<A, B...>(x): x has no axis A.
template <class A, std::size_t Extent, class OperandAxes>
struct split_axis_not_in_operand;
/// split<A, B...>(x): x already has one of the new axes.
template <class B, std::size_t Extent, class OperandAxes>
struct split_axis_already_in_operand;
/// merge<New, A...>(x): x has no axis A.
template <class A, std::size_t Extent, class OperandAxes>
struct merge_axis_not_in_operand;
/// merge<New, A...>(x): x already has the new axis.
template <class New, std::size_t Extent, class OperandAxes>
struct merge_axis_already_in_operand;
/// slice<A, B, Start>(x): x has no axis A.
template <class A, std::size_t Extent, class OperandAxes>
struct slice_axis_not_in_operand;
/// slice<A, B, Start>(x): x already has an axis B.
template <class B, std::size_t Extent, class OperandAxes>
struct slice_axis_already_in_operand;
/// select<A, Index>(x): x has no axis A.
template <class A, std::size_t Extent, class OperandAxes>
struct select_axis_not_in_operand;
/// pad<A, B, Before>(x): x has no axis A.
template <class A, std::size_t Extent, class OperandAxes>
struct pad_axis_not_in_operand;
/// pad<A, B, Before>(x): x already has an axis B.
template <class B, std::size_t Extent, class OperandAxes>
struct pad_axis_already_in_operand;
/// split<A, B...>(x): the product of the new extents is not the old one.
template <class A, std::size_t Extent, class NewAxes, std::size_t Product>
struct split_changes_element_count;
/// merge<New, A...>(x): the new extent is not the product of the old ones.
template <class A, std::size_t Extent, class OldAxes, std::size_t Product>
struct merge_changes_element_count;
/// slice<A, B, Start>(x): Start + extent of B exceeds the extent of A.
template <class A, std::size_t Extent, class B, std::size_t Start, std::size_t Length>
struct slice_out_of_range;
/// select<A, Index>(x): Index is not below the extent of A.
template <class A, std::size_t Extent, std::size_t Index>
struct select_index_out_of_range;
/// pad<A, B, Before>(x): Before + extent of A exceeds the extent of B.
template <class A, std::size_t Extent, class B, std::size_t PaddedExtent, std::size_t Before>
struct pad_does_not_fit;
/// concat<New, A...>(x...): the new extent is not the sum.
template <class New, std::size_t Extent, std::size_t Sum>
struct concat_extent_differs;
/// concat(x...): an operand has other axes than the first one, apart from the joined axis.
template <class FirstAxes, class OtherAxes>
struct concat_other_axes_differ;
/// concat<New, A...>(x...): an operand lacks its axis.
template <class A, std::size_t Extent, class OperandAxes>
struct concat_axis_not_in_operand;
/// slice, pad or select of an axis whose extent is known only at run time.
template <class A, std::size_t Capacity>
struct axis_extent_not_static;
/// arrange<A...>(x): A... are not the axes of x in another order.
template <class NewAxes, class OperandAxes>
struct arrange_axes_differ;
}  // namespace error

/// An axis may be renamed to another one of the same kind and size.
template <class From, class To>
concept Renameable = From::capacity == To::capacity && From::is_static == To::is_static;

/// `A` may be split into `B...`: the extents multiply to the same number.
template <class A, class... B>
concept Splittable = A::is_static && (B::is_static && ...) && A::capacity == (std::size_t{1} * ... * B::capacity);

}  // namespace tenet
