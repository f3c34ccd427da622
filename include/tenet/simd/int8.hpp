// SPDX-License-Identifier: MIT
// simd: dot products of bytes, and of bytes with floats. x86 has an instruction for four products of bytes a lane
// (AVX512_VNNI), which is the only raw intrinsic here; elsewhere the sums are the same, for they are of integers.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <tenet/base/macros.hpp>
#include <tenet/simd/bits.hpp>
#include <tenet/simd/convert.hpp>

namespace tenet::simd {

/// Whether `dot_bytes` is one instruction.
#if defined(__AVX512VNNI__)
inline constexpr bool has_byte_dot = width<float> == 16;
#else
inline constexpr bool has_byte_dot = false;
#endif

/// Bytes that `dot_bytes` takes, and its sums: sixteen of 32 bits.
inline constexpr std::size_t dot_bytes_count = 64;
using byte_sums = detail::vector_of<std::int32_t, 16>;

/// sums[i] += the sum over q < 4 of x[4 i + q] * y[4 i + q] for 64 unsigned and 64 signed bytes; wraps at 32 bits.
/// In place: a vector wider than the registers changes how functions pass it.
TENET_INLINE void dot_bytes(byte_sums& sums, std::uint8_t const* x, std::int8_t const* y) {
#if defined(__AVX512VNNI__)
    if constexpr (has_byte_dot) {
        __m512i a, b;
        std::memcpy(&a, x, sizeof a);
        std::memcpy(&b, y, sizeof b);
        sums = std::bit_cast<byte_sums>(_mm512_dpbusd_epi32(std::bit_cast<__m512i>(sums), a, b));
        return;
    }
#endif
    for (std::size_t i = 0; i < 16; ++i) {
        std::int32_t sum = 0;
        for (std::size_t q = 0; q < 4; ++q) sum += std::int32_t{x[4 * i + q]} * y[4 * i + q];
        sums[i] += sum;
    }
}

/// `width<float>` signed bytes at `p` as floats: two instructions where registers hold 16.
TENET_INLINE batch<float> load_bytes(std::int8_t const* p) {
#if defined(__AVX512F__)
    if constexpr (width<float> == 16) {
        __m128i bytes;
        std::memcpy(&bytes, p, sizeof bytes);
        return batch<float>(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes)));
    }
#endif
    return load_as<float>(p);
}

/// The same of unsigned bytes.
TENET_INLINE batch<float> load_unsigned_bytes(std::uint8_t const* p) {
#if defined(__AVX512F__)
    if constexpr (width<float> == 16) {
        __m128i bytes;
        std::memcpy(&bytes, p, sizeof bytes);
        return batch<float>(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes)));
    }
#endif
    return load_as<float>(p);
}

}  // namespace tenet::simd
