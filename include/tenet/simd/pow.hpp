// SPDX-License-Identifier: MIT
// simd: powers. float computes e^(y log x) in double, where the error of y log x cannot be seen; double calls the
// standard library lane by lane, which is exact but slow.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include <tenet/simd/bits.hpp>
#include <tenet/simd/compare.hpp>
#include <tenet/simd/exp.hpp>
#include <tenet/simd/log.hpp>

namespace tenet::simd {

namespace detail {

TENET_INLINE batch<float> pow_of(batch<float> const& x, batch<float> const& y) {
    constexpr std::size_t n = width<float>;
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const batch<float> zero(0.0f), one(1.0f), magnitude = xsimd::abs(x);
    alignas(64) float a[n], b[n], c[n];
    alignas(64) double wide_a[n], wide_b[n];
    magnitude.store_aligned(a);
    y.store_aligned(b);
    for (std::size_t i = 0; i < n; ++i) {
        wide_a[i] = static_cast<double>(a[i]);
        wide_b[i] = static_cast<double>(b[i]);
    }
    for (std::size_t i = 0; i < n; i += width<double>) {
        const batch<double> l = log(batch<double>::load_aligned(wide_a + i));
        exp<double>(batch<double>::load_aligned(wide_b + i) * l).store_aligned(wide_a + i);
    }
    for (std::size_t i = 0; i < n; ++i) c[i] = static_cast<float>(wide_a[i]);
    batch<float> r = batch<float>::load_aligned(c);

    const mask<float> whole = xsimd::trunc(y) == y;
    const batch<float> half = y * batch<float>(0.5f);
    const mask<float> odd = whole & !(xsimd::trunc(half) == half);
    const mask<float> nan_base = (x < zero) & (magnitude < batch<float>(infinity)) & (y == y);
    r = select<float>(odd, xsimd::copysign(r, x), r);
    r = select<float>(nan_base & !whole, batch<float>(std::numeric_limits<float>::quiet_NaN()), r);
    const mask<float> unit = (magnitude == one) & (xsimd::abs(y) == batch<float>(infinity));
    return select<float>((y == zero) | (x == one) | unit, one, r);
}
TENET_INLINE batch<double> pow_of(batch<double> const& x, batch<double> const& y) {
    alignas(64) double a[width<double>], b[width<double>];
    x.store_aligned(a);
    y.store_aligned(b);
    for (std::size_t i = 0; i < width<double>; ++i) a[i] = std::pow(a[i], b[i]);
    return batch<double>::load_aligned(a);
}

}  // namespace detail

/// x^y, at most 1 ulp off; zeros, infinities, NaN and negative bases as in C's pow. PyTorch: torch.pow.
template <class T>
TENET_INLINE batch<T> pow(batch<T> const& x, batch<T> const& y) {
    return detail::pow_of(x, y);
}

}  // namespace tenet::simd
