// SPDX-License-Identifier: MIT
// simd: choice and order, with NaN handled as NumPy and PyTorch do: it wins every minimum and maximum.
#pragma once

#include <cstddef>

#include <tenet/simd/batch.hpp>

namespace tenet::simd {

/// Lane by lane: `yes` where `m` holds, else `no`. PyTorch: torch.where.
template <class T>
TENET_INLINE batch<T> select(mask<T> const& m, batch<T> const& yes, batch<T> const& no) {
    return xsimd::select(m, yes, no);
}

/// Whether a lane is NaN.
template <class T>
TENET_INLINE mask<T> is_nan(batch<T> const& x) {
    return xsimd::isnan(x);
}

/// Whether two lanes differ; NaN differs from everything.
/// Use this, not `!=`: xsimd 8.1 says on AVX-512 that NaN does not differ from NaN.
template <class T>
TENET_INLINE mask<T> not_equal(batch<T> const& x, batch<T> const& y) {
    return !(x == y);
}

/// Whether `m` holds in any lane, in all lanes.
template <class T>
TENET_INLINE bool any(mask<T> const& m) {
    return xsimd::any(m);
}
template <class T>
TENET_INLINE bool all(mask<T> const& m) {
    return xsimd::all(m);
}

namespace detail {

template <class T>
struct lane_numbers {
    alignas(64) T value[width<T>];
    constexpr lane_numbers() : value{} {
        for (std::size_t i = 0; i < width<T>; ++i) value[i] = static_cast<T>(i);
    }
};
template <class T>
inline constexpr lane_numbers<T> lane_number{};

}  // namespace detail

/// 0, 1, 2, ...
template <class T>
TENET_INLINE batch<T> iota() {
    return batch<T>::load_aligned(detail::lane_number<T>.value);
}

/// True in the first `n` lanes.
template <class T>
TENET_INLINE mask<T> first_lanes(std::size_t n) {
    return iota<T>() < batch<T>(static_cast<T>(n));
}

/// 1 where `m` holds, else 0.
template <class T>
TENET_INLINE batch<T> to_number(mask<T> const& m) {
    return select<T>(m, batch<T>(T{1}), batch<T>(T{0}));
}

/// Whether a lane is not zero (NaN is not zero).
template <class T>
TENET_INLINE mask<T> to_mask(batch<T> const& x) {
    return not_equal<T>(x, batch<T>(T{0}));
}

/// The larger one, NaN if either is. PyTorch: torch.maximum.
template <class T>
TENET_INLINE batch<T> max(batch<T> const& x, batch<T> const& y) {
    // x86's maximum returns its second operand when one is NaN: only a NaN in x needs care.
    return select<T>(is_nan<T>(x), x, xsimd::max(x, y));
}

/// The smaller one, NaN if either is. PyTorch: torch.minimum.
template <class T>
TENET_INLINE batch<T> min(batch<T> const& x, batch<T> const& y) {
    return select<T>(is_nan<T>(x), x, xsimd::min(x, y));
}

/// The larger one, one instruction; where `x` is NaN the result may be `y`, a NaN in `y` stays.
template <class T>
TENET_INLINE batch<T> fast_max(batch<T> const& x, batch<T> const& y) {
    return xsimd::max(x, y);
}

/// The smaller one, one instruction; where `x` is NaN the result may be `y`, a NaN in `y` stays.
template <class T>
TENET_INLINE batch<T> fast_min(batch<T> const& x, batch<T> const& y) {
    return xsimd::min(x, y);
}

}  // namespace tenet::simd
