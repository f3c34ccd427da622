// SPDX-License-Identifier: MIT
// shape: element-wise operations broadcast by name. An axis that one operand lacks is repeated; the order of the axes
// never has to match.
#pragma once

#include <type_traits>

#include <tenet/shape/axes.hpp>

namespace tenet {
namespace error {
/// `Operation` of two operands that have the same positional axis with different sizes.
template <class Operation, class LeftAxis, std::size_t LeftExtent, class RightAxis, std::size_t RightExtent>
struct broadcast_extents_differ;
}  // namespace error

namespace shape {
namespace detail {
template <class L, class R>
struct broadcast {
    // The order of the operand that has all the axes; else the left one's axes, then what only the right one has.
    using type = std::conditional_t<contains_all<R, L>, L,
                                    std::conditional_t<contains_all<L, R>, R, shape::concat<L, shape::minus<R, L>>>>;
};
}  // namespace detail

/// The axes of an element-wise operation on operands with the axes `L` and `R`.
template <class L, class R>
using broadcast = typename detail::broadcast<L, R>::type;

}  // namespace shape

/// Two lists of axes that can be broadcast together: no axis has different sizes in them.
/// Named axes always can, since their size is part of their type; positional ones may not.
template <class L, class R>
concept Broadcastable = std::is_void_v<shape::first_conflict<L, R>>;

}  // namespace tenet
