// SPDX-License-Identifier: MIT
// kernel: numbers of 16 bits as two planes of bytes, 256 h + l, where the processor multiplies bytes: an unsigned plane
// of a table of 4-bit codes times a signed plane of a vector. A vector is rounded in runs of 128 numbers, each with a
// scale of its own; sums of a run are exact.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/simd/bytes.hpp>
#include <tenet/simd/compare.hpp>
#include <tenet/simd/reduce.hpp>

namespace tenet::kernel::detail {

/// The largest whole number of two planes with h and l within 127 of zero.
inline constexpr float largest_of_planes = 32639;

/// What the largest number of a run counts as, at least: its inverse is finite.
inline constexpr float least_largest = 1e-33f;

/// What is added to signed bytes to make them unsigned.
inline constexpr int byte_shift = 128;

/// What one stands for among the whole numbers of a 4-bit format: FP4's numbers are whole there, and all but the
/// smallest have nothing in the lower plane; NF4's are nearest ones within 1.6e-5 of the largest.
constexpr float table_scale(storage format) {
    return format == storage::fp4 ? 120 * 256.0f : largest_of_planes;
}

/// What one stands for among the sums of products with a table, whose lowest eight bits are not computed.
constexpr float product_scale(storage format) {
    return is_four_bit(format) ? table_scale(format) / 256 : 1;
}

/// The planes of the numbers of the 16 codes, shifted to be unsigned, four times.
struct table_planes {
    alignas(64) std::array<std::uint8_t, 64> high{}, low{};

    constexpr explicit table_planes(storage format) {
        for (std::size_t i = 0; i < 64; ++i) {
            const float x = codes_of(format)[i % 16] * table_scale(format);
            const int whole = static_cast<int>(x < 0 ? x - 0.5f : x + 0.5f), h = (whole + byte_shift) >> 8;
            high[i] = static_cast<std::uint8_t>(h + byte_shift);
            low[i] = static_cast<std::uint8_t>(whole - 256 * h + byte_shift);
        }
    }
};
inline constexpr table_planes nf4_planes{storage::nf4}, fp4_planes{storage::fp4};
constexpr table_planes const& planes_of(storage format) {
    return format == storage::fp4 ? fp4_planes : nf4_planes;
}

/// Whole numbers 256 h + l, from sums of products with both planes.
template <class T = void>
TENET_INLINE simd::byte_sums whole_numbers(simd::byte_sums const& high, simd::byte_sums const& low) {
    return (high << 8) + low;
}

/// What sums of products with shifted codes begin with, from the sums of the vector's planes: -128 x the vector, once
/// for each plane of the codes (two of a table, one of int8).
template <storage Format>
TENET_INLINE simd::byte_sums start_of_sums(simd::byte_sums const& high, simd::byte_sums const& low) {
    const simd::byte_sums sum = high * (is_four_bit(Format) ? 257 : 256) + low;
    return sum * -byte_shift;
}

/// The planes of the whole numbers nearest to x[0, 128) * largest_of_planes / max |x|; returns what one of them stands
/// for: NaN if an x is not finite.
template <class T = float>
TENET_INLINE T round_to_planes(T const* x, std::int8_t* high, std::int8_t* low) {
    using batch = simd::batch<T>;
    using narrow = simd::detail::vector_of<std::int8_t, 16>;
    constexpr std::size_t registers = 8, width = 16;
    batch value[registers], greatest(T{0}), not_finite(T{0});
    TENET_UNROLL
    for (std::size_t r = 0; r < registers; ++r) {
        value[r] = batch::load_unaligned(x + width * r);
        greatest = simd::fast_max<T>(greatest, simd::fast_max<T>(value[r], batch(T{0}) - value[r]));
        not_finite = simd::fma<T>(value[r], batch(T{0}), not_finite);
    }
    const T largest = std::max(least_largest, simd::fast_reduce_max<T>(greatest)),
            poison = simd::reduce_add<T>(not_finite);
    const batch inverse(poison == 0 ? largest_of_planes / largest : 0);
    TENET_UNROLL
    for (std::size_t r = 0; r < registers; ++r) {
        const simd::byte_sums whole = simd::nearest_integers<T>(value[r], inverse), l = (whole << 24) >> 24,
                              h = (whole - l) >> 8;
        const narrow of_high = __builtin_convertvector(h, narrow), of_low = __builtin_convertvector(l, narrow);
        std::memcpy(high + width * r, &of_high, sizeof of_high);
        std::memcpy(low + width * r, &of_low, sizeof of_low);
    }
    return largest / largest_of_planes + poison;
}

}  // namespace tenet::kernel::detail
