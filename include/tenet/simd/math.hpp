// SPDX-License-Identifier: MIT
// simd: the functions of one number, on registers of float and double. One header a family; this one gathers them and
// adds those that are a single instruction, and the angles, for which xsimd's are exact enough.
#pragma once

#include <tenet/simd/batch.hpp>
#include <tenet/simd/compare.hpp>
#include <tenet/simd/erf.hpp>
#include <tenet/simd/exp.hpp>
#include <tenet/simd/log.hpp>
#include <tenet/simd/pow.hpp>
#include <tenet/simd/reduce.hpp>

namespace tenet::simd {

/// Square root, correctly rounded. PyTorch: torch.sqrt.
template <class T>
TENET_INLINE batch<T> sqrt(batch<T> const& x) {
    return xsimd::sqrt(x);
}

/// 1 / sqrt(x) at full precision, not the machine's estimate. PyTorch: torch.rsqrt.
template <class T>
TENET_INLINE batch<T> rsqrt(batch<T> const& x) {
    return batch<T>(T{1}) / xsimd::sqrt(x);
}

/// Absolute value.
template <class T>
TENET_INLINE batch<T> abs(batch<T> const& x) {
    return xsimd::abs(x);
}

/// Sine, at most 2 ulp off for |x| up to 1e4. PyTorch: torch.sin.
template <class T>
TENET_INLINE batch<T> sin(batch<T> const& x) {
    return xsimd::sin(x);
}

/// Cosine, at most 2 ulp off for |x| up to 1e4. PyTorch: torch.cos.
template <class T>
TENET_INLINE batch<T> cos(batch<T> const& x) {
    return xsimd::cos(x);
}

/// The magnitude of `x` with the sign of `y`.
template <class T>
TENET_INLINE batch<T> copysign(batch<T> const& x, batch<T> const& y) {
    return xsimd::copysign(x, y);
}

/// The next whole number below, above, nearest (halves to even), and towards zero.
template <class T>
TENET_INLINE batch<T> floor(batch<T> const& x) {
    return xsimd::floor(x);
}
template <class T>
TENET_INLINE batch<T> ceil(batch<T> const& x) {
    return xsimd::ceil(x);
}
template <class T>
TENET_INLINE batch<T> round(batch<T> const& x) {
    return xsimd::nearbyint(x);
}
template <class T>
TENET_INLINE batch<T> trunc(batch<T> const& x) {
    return xsimd::trunc(x);
}

}  // namespace tenet::simd
