// SPDX-License-Identifier: MIT
// simd: the error function. float: one polynomial below 475/512, and 1 - exp(of another) above (coefficients after
// N. Juffa, public domain); double calls the standard library lane by lane: xsimd's is 60 ulp off.
#pragma once

#include <cmath>
#include <cstddef>

#include <tenet/simd/compare.hpp>
#include <tenet/simd/exp.hpp>

namespace tenet::simd {

namespace detail {

TENET_INLINE batch<float> erf_of(batch<float> const& x) {
    const batch<float> t = xsimd::abs(x), s = x * x;
    batch<float> near(-5.96761703e-4f);
    near = fma<float>(near, s, batch<float>(4.99119423e-3f));
    near = fma<float>(near, s, batch<float>(-2.67681349e-2f));
    near = fma<float>(near, s, batch<float>(1.12819925e-1f));
    near = fma<float>(near, s, batch<float>(-3.76125336e-1f));
    near = fma<float>(near, s, batch<float>(1.28379166e-1f));
    near = fma<float>(near, x, x);

    // 1 from 4 on: the polynomial is fitted no further, and must not meet infinity.
    const batch<float> u = xsimd::min(batch<float>(4.0f), t), uu = u * u;
    batch<float> far = fma<float>(batch<float>(-1.72853470e-5f), u, batch<float>(3.83197126e-4f));
    const batch<float> low = fma<float>(batch<float>(-3.88396438e-3f), u, batch<float>(2.42546219e-2f));
    far = fma<float>(far, uu, low);
    far = fma<float>(far, u, batch<float>(-1.06777877e-1f));
    far = fma<float>(far, u, batch<float>(-6.34846687e-1f));
    far = fma<float>(far, u, batch<float>(-1.28717512e-1f));
    far = fma<float>(far, u, -u);
    far = xsimd::copysign(batch<float>(1.0f) - exp_not_positive<float>(far), x);
    return select<float>(t > batch<float>(0.927734375f), far, near);
}
TENET_INLINE batch<double> erf_of(batch<double> const& x) {
    alignas(64) double lanes[width<double>];
    x.store_aligned(lanes);
    for (std::size_t i = 0; i < width<double>; ++i) lanes[i] = std::erf(lanes[i]);
    return batch<double>::load_aligned(lanes);
}

}  // namespace detail

/// The error function, 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x, at most 2 ulp off. PyTorch: torch.erf.
template <class T>
TENET_INLINE batch<T> erf(batch<T> const& x) {
    return detail::erf_of(x);
}

}  // namespace tenet::simd
