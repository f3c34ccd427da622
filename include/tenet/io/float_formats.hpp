// SPDX-License-Identifier: MIT
// io: the narrow floating formats that files hold, as bit patterns: IEEE binary16 (F16), bfloat16 (BF16) and the two
// of 8 bits (F8_E4M3, F8_E5M2). Widening is exact; narrowing rounds to nearest, ties to even, once (never twice through
// float).
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace tenet {

/// The value of a bfloat16 bit pattern; exact.
constexpr float float_from_bfloat16(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// The value of an IEEE binary16 bit pattern; exact, subnormals included. A NaN stays a NaN.
constexpr float float_from_float16(std::uint16_t bits) {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    const std::uint32_t magnitude = bits & 0x7fffu;
    if (magnitude >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
    if (magnitude >= 0x0400u) return std::bit_cast<float>(sign | ((magnitude << 13) + ((127u - 15u) << 23)));
    const float subnormal = static_cast<float>(magnitude) * 0x1p-24f;
    return sign != 0 ? -subnormal : subnormal;
}

/// The value of an 8-bit pattern of 5 exponent bits: the upper half of a binary16; exact.
constexpr float float_from_float8_e5m2(std::uint8_t bits) {
    return float_from_float16(static_cast<std::uint16_t>(bits << 8));
}

/// The value of an 8-bit pattern of 4 exponent bits; exact. There are no infinities, and 0x7f and 0xff are NaN.
/// Micikevicius et al.: FP8 Formats for Deep Learning (2022).
constexpr float float_from_float8_e4m3(std::uint8_t bits) {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x80u) << 24;
    const std::uint32_t magnitude = bits & 0x7fu;
    if (magnitude == 0x7fu) return std::bit_cast<float>(sign | 0x7fc00000u);
    if (magnitude >= 8u) return std::bit_cast<float>(sign | ((magnitude << 20) + ((127u - 7u) << 23)));
    const float subnormal = static_cast<float>(magnitude) * 0x1p-9f;
    return sign != 0 ? -subnormal : subnormal;
}

/// The nearest bfloat16, ties to even; overflow gives infinity, a NaN stays a (quiet) NaN.
constexpr std::uint16_t bfloat16_from_float(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
    return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/// The nearest bfloat16 of a double, ties to even.
inline std::uint16_t bfloat16_from_double(double value) {
    float narrow = static_cast<float>(value);
    if (static_cast<double>(narrow) == value || std::isnan(value)) return bfloat16_from_float(narrow);
    // Rounding to odd first keeps the knowledge that digits were lost, so that the second rounding is right
    // (S. Boldo, G. Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd").
    auto bits = std::bit_cast<std::uint32_t>(narrow);
    if (std::fabs(static_cast<double>(narrow)) > std::fabs(value)) --bits;
    return bfloat16_from_float(std::bit_cast<float>(bits | 1u));
}

/// The nearest IEEE binary16 of a double, ties to even; 65520 and beyond give infinity, a NaN stays a (quiet) NaN.
constexpr std::uint16_t float16_from_double(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const auto sign = static_cast<std::uint64_t>((bits >> 48) & 0x8000u);
    const std::uint64_t magnitude = bits & 0x7fffffffffffffffu;
    const auto with_sign = [&](std::uint64_t rest) { return static_cast<std::uint16_t>(sign | rest); };
    if (magnitude > 0x7ff0000000000000u) return with_sign(0x7e00u | ((magnitude >> 42) & 0x3ffu));
    if (magnitude >= std::bit_cast<std::uint64_t>(65520.0)) return with_sign(0x7c00u);
    const int exponent = static_cast<int>(magnitude >> 52) - 1023;
    if (exponent < -25) return with_sign(0);  // below half of the least subnormal
    const bool normal = exponent >= -14;
    const int dropped = normal ? 42 : 28 - exponent;
    const std::uint64_t significand = (magnitude & 0xfffffffffffffu) | 0x10000000000000u;
    const std::uint64_t half = std::uint64_t{1} << (dropped - 1), rest = significand & (2 * half - 1);
    std::uint64_t kept = significand >> dropped;
    if (rest > half || (rest == half && (kept & 1u) != 0)) ++kept;
    // The leading one of a normal number adds the missing step to the exponent; so does a carry.
    return with_sign(normal ? (static_cast<std::uint64_t>(exponent + 14) << 10) + kept : kept);
}

/// The nearest IEEE binary16, ties to even.
constexpr std::uint16_t float16_from_float(float value) {
    return float16_from_double(static_cast<double>(value));
}

}  // namespace tenet
