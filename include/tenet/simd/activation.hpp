// SPDX-License-Identifier: MIT
// simd: activations of neural networks on registers, as cheap as their accuracy allows: they run where a matrix product
// has its results in registers, and every cycle of theirs is one that the product waits.
#pragma once

#include <tenet/simd/compare.hpp>
#include <tenet/simd/erf.hpp>
#include <tenet/simd/exp.hpp>

namespace tenet::simd {

namespace detail {

// 2^t for |t| <= 126, relative error 1e-7: t = n + f, n the nearest integer, 2^f a polynomial fitted in Chebyshev
// nodes.
TENET_INLINE batch<float> exp2_of_moderate(batch<float> const& t) {
    static constexpr float poly[] = {1.0f,           0.69314718803f,  0.24022107485f,
                                     0.05550357114f, 0.009676031918f, 0.001339086336f};
    const batch<float> shift(exp_constants<float>::shift);
    const batch<float> shifted = t + shift;
    const batch<float> p = polynomial<float>(t - (shifted - shift), poly);
    // n into the exponent: p lies in [0.7, 1.5], so that neither end overflows.
    return from_vector<float>(bits_of<float>(to_bits<float>(p) + (to_bits<float>(shifted) << 23)));
}

// x / (1 + 2^t), t clamped. The clamps keep a NaN of t, their second operand.
TENET_INLINE batch<float> logistic_times(batch<float> const& x, batch<float> const& t) {
    const batch<float> z = xsimd::min(batch<float>(126.0f), xsimd::max(batch<float>(-126.0f), t));
    return x / (batch<float>(1.0f) + exp2_of_moderate(z));
}

// 0.5 (1 + tanh u) = 1 / (1 + e^-2u), of which nothing cancels where u is far below 0: -2u / ln 2.
TENET_INLINE batch<float> gelu_exponent(batch<float> const& x, batch<float> const& square) {
    constexpr float linear = -2.3022081984f, cubic = -0.1029432396f;  // -2 sqrt(2/pi) log2(e), 0.044715 times that
    return x * fma<float>(square, batch<float>(cubic), batch<float>(linear));
}
TENET_INLINE batch<float> gelu_of(batch<float> const& x) {
    return logistic_times(x, gelu_exponent(x, x * x));
}
TENET_INLINE batch<float> gelu_slope_of(batch<float> const& x) {
    // s + x s (1 - s) 2u', s the logistic function of 2u; where it is 0 or 1, x may be of any size.
    constexpr float first = 1.5957691216f, third = 0.2140644488f;
    const batch<float> one(1.0f), z = xsimd::min(batch<float>(7.0f), xsimd::max(batch<float>(-7.0f), x));
    const batch<float> square = z * z, s = logistic_times(one, gelu_exponent(z, square));
    const batch<float> rest = (z * s) * fma<float>(square, batch<float>(third), batch<float>(first));
    return fma<float>(rest, one - s, s);
}
TENET_INLINE batch<double> gelu_slope_of(batch<double> const& x) {
    constexpr double scale = 0.7978845608028654, cubic = 0.044715;
    const batch<double> one(1.0), half(0.5), z = xsimd::min(batch<double>(12.0), xsimd::max(batch<double>(-12.0), x));
    const batch<double> square = z * z;
    const batch<double> t = fast_tanh<double>(batch<double>(scale) * z * (one + batch<double>(cubic) * square));
    const batch<double> first = batch<double>(scale) + batch<double>(3 * scale * cubic) * square;
    return half * (one + t) + half * z * (one - t * t) * first;
}
TENET_INLINE batch<double> gelu_of(batch<double> const& x) {
    const batch<double> inner = fma<double>(x * x, batch<double>(0.044715), batch<double>(1.0));
    const batch<double> u = batch<double>(0.7978845608028654) * x * inner;
    return batch<double>(0.5) * x * (batch<double>(1.0) + fast_tanh<double>(u));
}
TENET_INLINE batch<float> silu_of(batch<float> const& x) {
    return logistic_times(x, x * batch<float>(-1.4426950408889634f));
}
TENET_INLINE batch<double> silu_of(batch<double> const& x) {
    return x * sigmoid<double>(x);
}

}  // namespace detail

/// max(x, 0), NaN if x is. PyTorch: torch.relu.
template <class T>
TENET_INLINE batch<T> relu(batch<T> const& x) {
    return fast_max<T>(batch<T>(T{0}), x);
}

/// 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). float: absolute error below 2e-7 max(1, |x|), relative error below
/// 1e-6 for x > -5. PyTorch: gelu(x, approximate="tanh").
template <class T>
TENET_INLINE batch<T> gelu(batch<T> const& x) {
    return detail::gelu_of(x);
}

/// The derivative of `gelu`: (1 + t + x (1 - t^2) u') / 2, t = tanh(u). float: absolute error below 5e-7.
template <class T>
TENET_INLINE batch<T> gelu_slope(batch<T> const& x) {
    return detail::gelu_slope_of(x);
}

/// 0.5 x (1 + erf(x / sqrt(2))), absolute error below 2e-7 max(1, |x|). PyTorch: gelu(x).
template <class T>
TENET_INLINE batch<T> gelu_erf(batch<T> const& x) {
    const batch<T> half = batch<T>(T(0.5)) * x;
    return fma<T>(half, erf<T>(batch<T>(T(0.7071067811865476)) * x), half);
}

/// x / (1 + e^-x). PyTorch: torch.nn.functional.silu.
template <class T>
TENET_INLINE batch<T> silu(batch<T> const& x) {
    return detail::silu_of(x);
}

}  // namespace tenet::simd
