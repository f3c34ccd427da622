// SPDX-License-Identifier: MIT
// simd: exp and what is built of it. exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln(2)/2, exp(r) a polynomial.
// Constants: ln 2 in two parts after Cody and Waite (the first short, so that n times it is exact without a fused
// multiply-add); polynomials fitted to (exp(r) - 1 - r) / r^2 in Chebyshev nodes.
#pragma once

#include <cstddef>

#include <tenet/simd/bits.hpp>
#include <tenet/simd/compare.hpp>
#include <tenet/simd/scale.hpp>

namespace tenet::simd {

namespace detail {

template <class T>
struct exp_constants;

template <>
struct exp_constants<float> {
    static constexpr float log2e = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    // 1.5 * 2^23: adding it rounds to an integer, left in the low bits.
    static constexpr float shift = 12582912.0f;
    static constexpr float lowest = -104.0f, highest = 89.0f, saturated = 9.1f;
    static constexpr int mantissa = 23, bias = 127;
    static constexpr float poly[] = {0.5000000014f,   0.1666666668f,   0.04166646448f,
                                     0.008333310876f, 0.001393369961f, 0.0001989104592f};
};

template <>
struct exp_constants<double> {
    static constexpr double log2e = 1.4426950408889634074, ln2_high = 6.93145751953125e-1,
                            ln2_low = 1.42860682030941723212e-6;
    static constexpr double shift = 6755399441055744.0;
    static constexpr double lowest = -746.0, highest = 710.0, saturated = 19.1;
    static constexpr int mantissa = 52, bias = 1023;
    static constexpr double poly[] = {0.5,
                                      0.1666666666666667101,
                                      0.04166666666666666977,
                                      0.008333333333326103194,
                                      0.00138888888888837255,
                                      0.0001984126987493220102,
                                      0.00002480158732562741864,
                                      2.755725525875986318e-6,
                                      2.75572735421021047e-7,
                                      2.510527584193696748e-8,
                                      2.091472898414877265e-9};
};

// c[0] + c[1] x + c[2] x^2 + ...
template <class T, std::size_t N>
TENET_INLINE batch<T> polynomial(batch<T> const& x, T const (&c)[N]) {
    batch<T> p(c[N - 1]);
    for (std::size_t i = 1; i < N; ++i) p = fma<T>(p, x, batch<T>(c[N - 1 - i]));
    return p;
}

/// x = n ln 2 + r: exp(r) - 1, n, and the bits of n + `offset`, in the lowest places of `exponent`.
template <class T>
struct reduced_exp {
    batch<T> expm1, n;
    bits_of<T> exponent;
};

template <class T>
TENET_INLINE reduced_exp<T> reduce_exp(batch<T> const& x, int offset) {
    using c = exp_constants<T>;
    const batch<T> shift(c::shift + static_cast<T>(offset));
    const batch<T> shifted = fma<T>(x, batch<T>(c::log2e), shift);
    const batch<T> n = shifted - shift;
    const batch<T> r = fnma<T>(n, batch<T>(c::ln2_low), fnma<T>(n, batch<T>(c::ln2_high), x));
    return {fma<T>(r * r, polynomial<T>(r, c::poly), r), n, to_bits<T>(shifted)};
}

// 2^(e - bias), e being the lowest bits of `exponent`.
template <class T>
TENET_INLINE batch<T> power_of_two(bits_of<T> const& exponent) {
    return from_vector<T>(bits_of<T>(exponent << exp_constants<T>::mantissa));
}

}  // namespace detail

/// e^x, at most 2 ulp off for float and double. exp(-inf) = 0, exp of too much = inf, denormal results are right.
/// PyTorch: torch.exp.
template <class T>
TENET_INLINE batch<T> exp(batch<T> const& x) {
    using c = detail::exp_constants<T>;
    // x is the second operand, so that a NaN stays.
    const batch<T> z = xsimd::min(batch<T>(c::highest), xsimd::max(batch<T>(c::lowest), x));
    if constexpr (detail::scales_by_powers<T>) {
        const auto e = detail::reduce_exp<T>(z, 0);
        return detail::times_power_of_two<T>(e.expm1 + batch<T>(T{1}), e.n);
    } else {
        // 2^n in two factors: one alone reaches neither denormal numbers nor infinity.
        const auto e = detail::reduce_exp<T>(z, 2 * c::bias);
        const detail::bits_of<T> half = e.exponent >> 1;
        return (e.expm1 + batch<T>(T{1})) * detail::power_of_two<T>(half) *
               detail::power_of_two<T>(detail::bits_of<T>(e.exponent - half));
    }
}

/// e^x for x <= 0, the case of every softmax: cheaper than `exp`; results below the smallest normal number are 0.
template <class T>
TENET_INLINE batch<T> exp_not_positive(batch<T> const& x) {
    using c = detail::exp_constants<T>;
    constexpr T smallest = sizeof(T) == 4 ? T(-87.33) : T(-708.39);
    const auto e = detail::reduce_exp<T>(x, c::bias);
    const batch<T> scale = detail::power_of_two<T>(e.exponent);
    return select<T>(x < batch<T>(smallest), batch<T>(T{0}), fma<T>(e.expm1, scale, scale));
}

/// e^x - 1 without cancellation near 0, at most 2 ulp off. PyTorch: torch.expm1.
template <class T>
TENET_INLINE batch<T> expm1(batch<T> const& x) {
    using c = detail::exp_constants<T>;
    const batch<T> z = xsimd::min(batch<T>(c::highest), xsimd::max(batch<T>(T(-40)), x));
    // Half of 2^n, doubled at the end: 2^n itself may overflow where the result does not.
    const auto e = detail::reduce_exp<T>(z, c::bias - 1);
    const batch<T> half = detail::power_of_two<T>(e.exponent);
    const batch<T> y = fma<T>(half, e.expm1, half - batch<T>(T(0.5)));
    return y + y;
}

/// 1 / (1 + e^-x), without overflow; far to the left it decays to denormal numbers. PyTorch: torch.sigmoid.
template <class T>
TENET_INLINE batch<T> sigmoid(batch<T> const& x) {
    const batch<T> one(T{1});
    const batch<T> e = exp<T>(-xsimd::abs(x));
    return select<T>(x < batch<T>(T{0}), e, one) / (one + e);
}

/// Hyperbolic tangent, at most 2.5 ulp off, in three quarters of the time of `tanh`; +-1 at infinity.
template <class T>
TENET_INLINE batch<T> fast_tanh(batch<T> const& x) {
    using c = detail::exp_constants<T>;
    // tanh|x| = (e^2|x| - 1) / (e^2|x| + 1), and it is 1 long before 2^n could overflow.
    const batch<T> z = xsimd::min(batch<T>(c::saturated), xsimd::abs(x));
    const auto r = detail::reduce_exp<T>(z + z, c::bias);
    const batch<T> scale = detail::power_of_two<T>(r.exponent);
    const batch<T> e = fma<T>(scale, r.expm1, scale - batch<T>(T{1}));
    return xsimd::copysign(e / (e + batch<T>(T{2})), x);
}

namespace detail {

TENET_INLINE batch<float> tanh_of(batch<float> const& x) {
    using c = exp_constants<float>;
    // Below 5/8 an odd polynomial (Cephes, S. Moshier), above it 1 - 2 / (e^2|x| + 1).
    static constexpr float odd[] = {-3.33332819422e-1f, 1.33314422036e-1f, -5.37397155531e-2f, 2.06390887954e-2f,
                                    -5.70498872745e-3f};
    const batch<float> one(1.0f), a = xsimd::abs(x), s = a * a;
    const batch<float> near = fma<float>(a * s, polynomial<float>(s, odd), a);
    const batch<float> z = xsimd::min(batch<float>(c::saturated), a);
    const auto r = reduce_exp<float>(z + z, c::bias);
    const batch<float> scale = power_of_two<float>(r.exponent);
    const batch<float> far = one - batch<float>(2.0f) / fma<float>(scale, r.expm1, scale + one);
    return xsimd::copysign(select<float>(a < batch<float>(0.625f), near, far), x);
}
TENET_INLINE batch<double> tanh_of(batch<double> const& x) {
    return fast_tanh<double>(x);
}

}  // namespace detail

/// Hyperbolic tangent, at most 2 ulp off (float; double 2.6); +-1 at infinity. PyTorch: torch.tanh.
template <class T>
TENET_INLINE batch<T> tanh(batch<T> const& x) {
    return detail::tanh_of(x);
}

}  // namespace tenet::simd
