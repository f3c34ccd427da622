// SPDX-License-Identifier: MIT
// shape: reductions and softmax-like operations name the axes they run over.
#pragma once

#include <cstddef>
#include <type_traits>

#include <tenet/shape/axes.hpp>

namespace tenet {
// Each operation over axes declares two errors of its own beside its rule, so that the error names the operation:
// error::softmax_axis_not_in_operand<Vocab, 96, axes<Batch, Time, Embed>> and error::softmax_axis_repeated<...>.

namespace shape {
/// The axes of a reduction over `K`; over all axes if `K` is empty.
template <class L, class K>
using reduction = std::conditional_t<std::is_same_v<K, axes<>>, axes<>, minus<L, K>>;
}  // namespace shape

/// An operation over the axes `K...` is defined for an operand with the axes `L`.
template <class L, class... K>
concept Reducible = shape::contains_all<axes<K...>, L> && shape::unique<axes<K...>>;

}  // namespace tenet
