// SPDX-License-Identifier: MIT
// simd: products of 16-bit integers, added up exactly in 32 bits, and a table of 16 such integers looked up by 4-bit
// codes: twice as many products an instruction as with floats. x86 has both (AVX512_VNNI, AVX512BW); there is no
// version for other machines, which are as fast with floats.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <tenet/base/macros.hpp>
#include <tenet/simd/bits.hpp>

namespace tenet::simd {

/// Whether the functions of this header can be called.
#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
inline constexpr bool has_word_dot = width<float> == 16;
#else
inline constexpr bool has_word_dot = false;
#endif

/// Thirty-two words, and sixteen sums of their products in pairs.
using words = detail::vector_of<std::uint16_t, 32>;
using word_sums = detail::vector_of<std::int32_t, 16>;

// Templates, so that a machine that lacks them compiles none.

/// The 64 bytes at `p`.
template <class T>
TENET_INLINE words load_words(T const* p) {
    words w;
    std::memcpy(&w, p, sizeof w);
    return w;
}

/// sums[i] += a[2 i] * b[2 i] + a[2 i + 1] * b[2 i + 1] of signed words; wraps at 32 bits.
template <class T = void>
TENET_INLINE void dot_words(word_sums& sums, words const& a, words const& b) {
#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
    sums = std::bit_cast<word_sums>(
        _mm512_dpwssd_epi32(std::bit_cast<__m512i>(sums), std::bit_cast<__m512i>(a), std::bit_cast<__m512i>(b)));
#else
    static_assert(sizeof(T) == 0, "this machine has no products of words");
    static_cast<void>(sums), static_cast<void>(a), static_cast<void>(b);
#endif
}

/// Thirty-two words of a table of 16, which is given twice, by the lowest four bits of each word.
template <class T = void>
TENET_INLINE words lookup_words(words const& table_twice, words const& index) {
#if defined(__AVX512BW__)
    return std::bit_cast<words>(
        _mm512_permutexvar_epi16(std::bit_cast<__m512i>(index), std::bit_cast<__m512i>(table_twice)));
#else
    static_assert(sizeof(T) == 0, "this machine has no lookup of words");
    static_cast<void>(index);
    return table_twice;
#endif
}

/// In each 32-bit lane the lower words of a and b, that of a below.
template <class T = void>
TENET_INLINE words lower_words(words const& a, words const& b) {
#if defined(__AVX512BW__)
    return std::bit_cast<words>(_mm512_mask_blend_epi16(0xaaaaaaaau, std::bit_cast<__m512i>(a),
                                                        _mm512_slli_epi32(std::bit_cast<__m512i>(b), 16)));
#else
    static_assert(sizeof(T) == 0, "this machine has no choice of words");
    static_cast<void>(b);
    return a;
#endif
}

/// The upper words of both.
template <class T = void>
TENET_INLINE words upper_words(words const& a, words const& b) {
#if defined(__AVX512BW__)
    return std::bit_cast<words>(_mm512_mask_blend_epi16(0xaaaaaaaau, _mm512_srli_epi32(std::bit_cast<__m512i>(a), 16),
                                                        std::bit_cast<__m512i>(b)));
#else
    static_assert(sizeof(T) == 0, "this machine has no choice of words");
    static_cast<void>(b);
    return a;
#endif
}

/// Thirty-two signed bytes at `p` as words.
template <class T>
TENET_INLINE words widen_bytes(T const* p) {
#if defined(__AVX512BW__)
    __m256i bytes;
    std::memcpy(&bytes, p, sizeof bytes);
    return std::bit_cast<words>(_mm512_cvtepi8_epi16(bytes));
#else
    static_assert(sizeof(T) == 0, "this machine has no bytes as words");
    static_cast<void>(p);
    return words{};
#endif
}

/// The bits of a register.
template <class T>
TENET_INLINE words as_words(batch<T> const& x) {
    return std::bit_cast<words>(x.data);
}

/// The integers nearest to x * y, which lie within 2^22 of zero: they are the lowest bits of a float near 2^23.
template <class T>
TENET_INLINE word_sums nearest_integers(batch<T> const& x, batch<T> const& y) {
    const batch<T> shift(T{12582912});
    return word_sums(detail::to_bits<T>(fma<T>(x, y, shift)) - detail::to_bits<T>(shift));
}

/// The sums as floats.
template <class T = float>
TENET_INLINE batch<T> to_floats(word_sums const& sums) {
    return detail::from_vector<T>(detail::lanes_of<T>(__builtin_convertvector(sums, detail::lanes_of<T>)));
}

}  // namespace tenet::simd
