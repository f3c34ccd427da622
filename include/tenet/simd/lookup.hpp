// SPDX-License-Identifier: MIT
// simd: a table of 16 numbers in one register, looked up by 4-bit codes, where registers hold 16 floats; elsewhere
// tables in memory are as good. The compilers' own shuffle takes run-time indices in g++ alone: clang has an intrinsic.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <tenet/simd/bits.hpp>

namespace tenet::simd {

/// Whether `lookup_codes` is a few instructions for this machine.
#if defined(__AVX512F__)
inline constexpr bool has_lookup = width<float> == 16;
#else
inline constexpr bool has_lookup = false;
#endif

/// 128 codes: word i holds the codes 8 i .. 8 i + 7, two a byte, the first in the high half.
using code_words = detail::vector_of<std::uint32_t, 16>;

/// Lane i of nibble s, s = 0 .. 7, is code 8 i + s.
inline constexpr unsigned nibble_shift[8] = {4, 0, 12, 8, 20, 16, 28, 24};

// Templates, so that a machine that has no lookup compiles none of them.

template <class T>
TENET_INLINE code_words load_codes(T const* p) {
    code_words codes;
    std::memcpy(&codes, p, sizeof codes);
    return codes;
}

namespace detail {

/// Sixteen numbers of a table, by the lowest four bits of each word.
template <class T>
TENET_INLINE batch<T> lookup_words(batch<T> const& table, code_words const& index) {
    static_assert(width<T> == 16);
#if defined(__AVX512F__)
    // All lanes by mask: g++ 12 warns of its own header's plain form.
    return batch<T>(_mm512_mask_permutexvar_ps(table.data, 0xffff, std::bit_cast<__m512i>(index), table.data));
#else
    static_cast<void>(index);
    return table;
#endif
}

}  // namespace detail

/// The numbers of the codes 8 i + s, one a lane.
template <class T>
TENET_INLINE batch<T> lookup_nibbles(batch<T> const& table, code_words const& codes, std::size_t s) {
    return detail::lookup_words<T>(table, code_words(codes >> nibble_shift[s]));
}

/// `low` in the lower eight lanes, `high` in the upper: the scales of two blocks of 64 codes.
template <class T>
TENET_INLINE batch<T> low_and_high(T low, T high) {
    const detail::vector_of<T, 16> lanes = {low,  low,  low,  low,  low,  low,  low,  low,
                                            high, high, high, high, high, high, high, high};
    return detail::from_vector<T>(lanes);
}

/// The same of two numbers in memory: no port that shuffles is needed.
template <class T>
TENET_INLINE batch<T> low_and_high(T const* pair) {
#if defined(__AVX512F__)
    if constexpr (width<T> == 16)
        return batch<T>(_mm512_mask_broadcastss_ps(_mm512_set1_ps(pair[0]), 0xff00, _mm_load_ss(pair + 1)));
#endif
    return low_and_high<T>(pair[0], pair[1]);
}

/// Sixteen numbers of a table by the codes in the eight bytes at `p`, two a byte, the first in the high half.
template <class T>
TENET_INLINE batch<T> lookup_codes(batch<T> const& table, std::uint8_t const* p) {
    static_assert(width<T> == 16);
    std::uint32_t half[2];
    std::memcpy(half, p, sizeof half);
    constexpr code_words shifts = {4, 0, 12, 8, 20, 16, 28, 24, 4, 0, 12, 8, 20, 16, 28, 24};
    const code_words codes = {half[0], half[0], half[0], half[0], half[0], half[0], half[0], half[0],
                              half[1], half[1], half[1], half[1], half[1], half[1], half[1], half[1]};
    return detail::lookup_words<T>(table, code_words(codes >> shifts));
}

}  // namespace tenet::simd
