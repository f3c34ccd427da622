// SPDX-License-Identifier: MIT
// simd: logarithms. x = 2^n (1 + f) with 1 + f around 1, and log(1 + f) by a polynomial: for float in f (coefficients
// after N. Juffa, public domain), for double in s = f / (2 + f) as FreeBSD's msun does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include <tenet/simd/bits.hpp>
#include <tenet/simd/compare.hpp>
#include <tenet/simd/exp.hpp>

namespace tenet::simd {

namespace detail {

using float_bits = bits_of<float>;
using double_bits = bits_of<double>;

TENET_INLINE batch<float> to_number(float_bits const& n) {
    return from_vector<float>(__builtin_convertvector(n, lanes_of<float>));
}

// For |n| < 2^51, by the bits: plain x86-64 converts 64-bit integers one by one.
TENET_INLINE batch<double> to_number(double_bits const& n) {
    constexpr double shift = exp_constants<double>::shift;
    return from_vector<double>(double_bits(n + std::bit_cast<std::int64_t>(shift))) - batch<double>(shift);
}

// log of 0, of infinity, of what is below 0, and of NaN; `y` elsewhere.
template <class T>
TENET_INLINE batch<T> log_special(batch<T> const& x, batch<T> const& y) {
    constexpr T infinity = std::numeric_limits<T>::infinity();
    batch<T> r = select<T>(x < batch<T>(infinity), y, x);
    r = select<T>(x == batch<T>(T{0}), batch<T>(-infinity), r);
    return select<T>(x < batch<T>(T{0}), batch<T>(std::numeric_limits<T>::quiet_NaN()), r);
}

/// x = 2^exponent (1 + fraction).
template <class T>
struct split_number {
    batch<T> exponent, fraction;
};

// The exponent of y / m, for 1 + fraction in [m, 2 m); y is normal and positive. `one_over_m` is bits(1) - bits(m).
template <class T>
TENET_INLINE split_number<T> split(batch<T> const& y, integer_of<T> one_over_m) {
    using c = exp_constants<T>;
    using Bits = bits_of<T>;
    const Bits whole = ((to_bits<T>(y) + one_over_m) >> c::mantissa) - c::bias;
    return {to_number(whole), from_vector<T>(Bits(to_bits<T>(y) - (whole << c::mantissa))) - batch<T>(T{1})};
}

// n ln 2 + log(1 + f) + correction, |f| < 0.42.
TENET_INLINE batch<double> log_of_split(split_number<double> const& x, batch<double> const& correction) {
    static constexpr double even[] = {6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
                                      2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
                                      1.479819860511658591e-01};
    const batch<double> f = x.fraction, n = x.exponent, s = f / (batch<double>(2.0) + f), z = s * s;
    const batch<double> half = batch<double>(0.5) * f * f, r = z * polynomial<double>(z, even);
    const batch<double> small = fma<double>(n, batch<double>(1.90821492927058770002e-10), correction);
    return fma<double>(n, batch<double>(6.93147180369123816490e-01), f - (half - fma<double>(s, half + r, small)));
}

TENET_INLINE batch<float> log_of(batch<float> const& x) {
    const mask<float> denormal = x < batch<float>(std::numeric_limits<float>::min());
    const batch<float> y = select<float>(denormal, x * batch<float>(8388608.0f), x);
    const auto [exponent, f] = split<float>(y, 0x3f800000 - 0x3f2aaaab);  // 1 + f in [2/3, 4/3)
    const batch<float> n = select<float>(denormal, exponent - batch<float>(23.0f), exponent);
    const batch<float> s = f * f;
    batch<float> r(-0.130310059f), t(0.140869141f);
    r = fma<float>(r, s, batch<float>(-0.121484190f));
    t = fma<float>(t, s, batch<float>(0.139814854f));
    r = fma<float>(r, s, batch<float>(-0.166846052f));
    t = fma<float>(t, s, batch<float>(0.200120345f));
    r = fma<float>(r, s, batch<float>(-0.249996200f));
    r = fma<float>(t, f, r);
    r = fma<float>(r, f, batch<float>(0.333331972f));
    r = fma<float>(r, f, batch<float>(-0.5f));
    r = fma<float>(r, s, f);
    return log_special<float>(x, fma<float>(n, batch<float>(0.693147182f), r));
}
TENET_INLINE batch<double> log_of(batch<double> const& x) {
    const mask<double> denormal = x < batch<double>(std::numeric_limits<double>::min());
    const batch<double> y = select<double>(denormal, x * batch<double>(4503599627370496.0), x);
    auto parts = split<double>(y, 0x3ff0000000000000 - 0x3fe6a09e667f3bcd);  // from sqrt(1/2) on
    parts.exponent = select<double>(denormal, parts.exponent - batch<double>(52.0), parts.exponent);
    return log_special<double>(x, log_of_split(parts, batch<double>(0.0)));
}

TENET_INLINE batch<float> log1p_of(batch<float> const& x) {
    const batch<float> u = x + batch<float>(1.0f);
    // 1 + x = 2^n (1 + f); f = x 2^-n + (2^-n - 1), computed through 4 2^-n, which does not overflow.
    const float_bits e = ((to_bits<float>(u) - 0x3f400000) >> 23) << 23;
    const batch<float> four = from_vector<float>(float_bits(0x40800000 - e));
    const batch<float> quarter = batch<float>(0.25f);
    const batch<float> f = fma<float>(quarter, four, batch<float>(-1.0f)) + x * (quarter * four);
    const batch<float> n = to_number(float_bits(e >> 23));
    const batch<float> s = f * f;
    batch<float> r(-4.54559326e-2f), t(1.05529785e-1f);
    r = fma<float>(r, s, batch<float>(-1.32279143e-1f));
    t = fma<float>(t, s, batch<float>(1.44911006e-1f));
    r = fma<float>(r, s, batch<float>(-1.66416913e-1f));
    t = fma<float>(t, s, batch<float>(1.99886635e-1f));
    r = fma<float>(r, s, batch<float>(-2.50001878e-1f));
    r = fma<float>(t, f, r);
    r = fma<float>(r, f, batch<float>(3.33335280e-1f));
    r = fma<float>(r, f, batch<float>(-0.5f));
    r = fma<float>(r, s, f);
    return log_special<float>(u, fma<float>(n, batch<float>(0.693147182f), r));
}
TENET_INLINE batch<double> log1p_of(batch<double> const& x) {
    const batch<double> one(1.0), u = x + one;
    const auto parts = split<double>(u, 0x3ff0000000000000 - 0x3fe6a09e667f3bcd);
    // What the rounding of 1 + x lost.
    const batch<double> lost = select<double>(x < one, x - (u - one), one - (u - x));
    const batch<double> y = log_of_split(parts, lost / u);
    return log_special<double>(u, select<double>(u == one, x, y));
}

}  // namespace detail

/// Natural logarithm, at most 2 ulp off. log(0) = -inf, log of a negative number is NaN. PyTorch: torch.log.
template <class T>
TENET_INLINE batch<T> log(batch<T> const& x) {
    return detail::log_of(x);
}

/// log(1 + x) without cancellation near 0. log1p(-1) = -inf, below it is NaN. PyTorch: torch.log1p.
template <class T>
TENET_INLINE batch<T> log1p(batch<T> const& x) {
    return detail::log1p_of(x);
}

}  // namespace tenet::simd
