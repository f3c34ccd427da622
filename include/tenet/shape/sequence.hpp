// SPDX-License-Identifier: MIT
// shape: the axis that time runs along, found by a mark. A model that names its mark serves programs whose time axes
// differ: whole windows in training, chunks of what is new in generation.
#pragma once

#include <type_traits>

#include <tenet/shape/axes.hpp>

namespace tenet {

/// The mark of a time axis, and what model code names in its place:
///
///     struct Time : axis<64>, sequence {};                          // in a training program
///     struct Chunk : at_most<16>, sequence {};                      // in a generating one
///     causal_attention<sequence, HeadDim, QKV>(c_attn(x));          // in a model that serves both
struct sequence {};

namespace shape {

namespace detail {

template <class L>
struct marked;
template <class... A>
struct marked<axes<A...>> : concat<std::conditional_t<std::is_base_of_v<sequence, A>, axes<A>, axes<>>...> {};

template <class L>
struct only {
    using type = void;
};
template <class A>
struct only<axes<A>> {
    using type = A;
};

}  // namespace detail

/// `A` itself, or, if it is `sequence`, the one axis of the list `L` that is marked so; void if there is not exactly
/// one.
template <class A, class L>
using resolved_sequence =
    typename std::conditional_t<std::is_same_v<A, sequence>, detail::only<typename detail::marked<L>::type>,
                                std::type_identity<A>>::type;

}  // namespace shape
}  // namespace tenet
