// SPDX-License-Identifier: MIT
// simd: one number from the lanes of a register: halves onto halves, so that the order of the additions is fixed.
#pragma once

#include <cstddef>
#include <utility>

#include <tenet/simd/bits.hpp>
#include <tenet/simd/compare.hpp>

namespace tenet::simd {

namespace detail {

template <class T, std::size_t Distance, class Combine>
TENET_INLINE batch<T> fold_lanes(batch<T> const& x, Combine const& combine) {
    if constexpr (Distance == 0) {
        return x;
    } else {
        const batch<T> other = swap_lanes<T, Distance>(x, std::make_index_sequence<width<T>>{});
        return fold_lanes<T, Distance / 2>(combine(x, other), combine);
    }
}

}  // namespace detail

/// The sum of the lanes.
template <class T>
TENET_INLINE T reduce_add(batch<T> const& x) {
    return detail::to_lanes<T>(detail::fold_lanes<T, width<T> / 2>(
        x, [](batch<T> const& a, batch<T> const& b) { return batch<T>(a.data + b.data); }))[0];
}

/// The largest lane, NaN if one is.
template <class T>
TENET_INLINE T reduce_max(batch<T> const& x) {
    return detail::to_lanes<T>(
        detail::fold_lanes<T, width<T> / 2>(x, [](batch<T> const& a, batch<T> const& b) { return max<T>(a, b); }))[0];
}

/// The largest lane; where one is NaN the result may be another.
template <class T>
TENET_INLINE T fast_reduce_max(batch<T> const& x) {
    return detail::to_lanes<T>(detail::fold_lanes<T, width<T> / 2>(
        x, [](batch<T> const& a, batch<T> const& b) { return fast_max<T>(a, b); }))[0];
}

/// The smallest lane, NaN if one is.
template <class T>
TENET_INLINE T reduce_min(batch<T> const& x) {
    return detail::to_lanes<T>(
        detail::fold_lanes<T, width<T> / 2>(x, [](batch<T> const& a, batch<T> const& b) { return min<T>(a, b); }))[0];
}

}  // namespace tenet::simd
