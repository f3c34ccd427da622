// SPDX-License-Identifier: MIT
// io: the 16-bit floating formats that files hold, as bit patterns: IEEE binary16 (F16) and bfloat16 (BF16).
// Widening is exact; narrowing rounds to nearest, ties to even, once (never twice through float).
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

}  // namespace tenet
