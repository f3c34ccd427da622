// SPDX-License-Identifier: MIT
// simd: registers of 64 bytes: products of unsigned and signed ones, added up exactly in 32 bits, and tables of 16
// bytes looked up by 4-bit codes: four times as many products an instruction as with floats. x86 has both (AVX512_VNNI,
// AVX512BW; AVX512_VBMI spares a mask); there is no version for other machines, which are as fast with floats.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <tenet/base/macros.hpp>
#include <tenet/simd/bits.hpp>
#include <tenet/simd/int8.hpp>

namespace tenet::simd {

/// Whether the functions of this header can be called.
#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
inline constexpr bool has_byte_tables = has_byte_dot;
#else
inline constexpr bool has_byte_tables = false;
#endif

/// Sixty-four bytes.
using bytes = detail::vector_of<std::uint8_t, 64>;

// Templates, so that a machine that lacks them compiles none.

/// The 64 bytes at `p`.
template <class T>
TENET_INLINE bytes load_64_bytes(T const* p) {
    bytes b;
    std::memcpy(&b, p, sizeof b);
    return b;
}

/// sums[i] += the sum over q < 4 of x[4 i + q] * y[4 i + q] for unsigned x and signed y; wraps at 32 bits.
template <class T = void>
TENET_INLINE void dot_bytes(byte_sums& sums, bytes const& x, bytes const& y) {
#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
    sums = std::bit_cast<byte_sums>(
        _mm512_dpbusd_epi32(std::bit_cast<__m512i>(sums), std::bit_cast<__m512i>(x), std::bit_cast<__m512i>(y)));
#else
    static_assert(sizeof(T) == 0, "this machine has no products of bytes");
    static_cast<void>(sums), static_cast<void>(x), static_cast<void>(y);
#endif
}

/// Bytes of a table of 16, which is given four times, by the lowest four bits of each byte.
template <class T = void>
TENET_INLINE bytes lookup_bytes(bytes const& table_four_times, bytes const& index) {
#if defined(__AVX512VBMI__)
    return std::bit_cast<bytes>(
        _mm512_permutexvar_epi8(std::bit_cast<__m512i>(index), std::bit_cast<__m512i>(table_four_times)));
#elif defined(__AVX512BW__)
    return std::bit_cast<bytes>(
        _mm512_shuffle_epi8(std::bit_cast<__m512i>(table_four_times), std::bit_cast<__m512i>(bytes(index & 15))));
#else
    static_assert(sizeof(T) == 0, "this machine has no lookup of bytes");
    static_cast<void>(index);
    return table_four_times;
#endif
}

/// The bytes with their upper four bits in the place of the lower; what is above them is not zero.
template <class T = void>
TENET_INLINE bytes upper_nibbles(bytes const& x) {
    using words = detail::vector_of<std::uint16_t, 32>;
    return std::bit_cast<bytes>(words(std::bit_cast<words>(x) >> 4));
}

/// Four registers of bytes as columns: lane 4 l + d of out[q] has byte 16 l + 4 q + d of a, b, c and d, a's lowest.
template <class T = void>
TENET_INLINE void interleave_four(bytes const& a, bytes const& b, bytes const& c, bytes const& d, bytes (&out)[4]) {
    using words = detail::vector_of<std::uint16_t, 32>;
    // Within runs of 16 bytes, the lower or upper halves of two registers by turns: one instruction each.
    const auto by_turns = []<std::size_t... I>(auto const& x, auto const& y, auto half,
                                               std::index_sequence<I...>) __attribute__((always_inline)) {
        constexpr std::size_t n = sizeof...(I), run = n / 4, first = half * run / 2;
        return __builtin_shufflevector(x, y, (I / run * run + first + I % run / 2 + I % 2 * n)...);
    };
    constexpr std::integral_constant<std::size_t, 0> lower{};
    constexpr std::integral_constant<std::size_t, 1> upper{};
    constexpr std::make_index_sequence<64> each_byte{};
    constexpr std::make_index_sequence<32> each_word{};
    const auto ab0 = std::bit_cast<words>(by_turns(a, b, lower, each_byte)),
               ab1 = std::bit_cast<words>(by_turns(a, b, upper, each_byte)),
               cd0 = std::bit_cast<words>(by_turns(c, d, lower, each_byte)),
               cd1 = std::bit_cast<words>(by_turns(c, d, upper, each_byte));
    out[0] = std::bit_cast<bytes>(by_turns(ab0, cd0, lower, each_word));
    out[1] = std::bit_cast<bytes>(by_turns(ab0, cd0, upper, each_word));
    out[2] = std::bit_cast<bytes>(by_turns(ab1, cd1, lower, each_word));
    out[3] = std::bit_cast<bytes>(by_turns(ab1, cd1, upper, each_word));
}

/// The bits of a register.
template <class T>
TENET_INLINE bytes as_bytes(batch<T> const& x) {
    return std::bit_cast<bytes>(x.data);
}

/// The integers nearest to x * y, which lie within 2^22 of zero: they are the lowest bits of a float near 2^23.
template <class T>
TENET_INLINE byte_sums nearest_integers(batch<T> const& x, batch<T> const& y) {
    const batch<T> shift(T{12582912});
    return byte_sums(detail::to_bits<T>(fma<T>(x, y, shift)) - detail::to_bits<T>(shift));
}

/// The whole numbers 256 h + l nearest to x[r] * y, r < 4, within 32639 of zero, as planes of h and of l in [-128,
/// 127]: the bytes of a lane are those of x[0], x[2], x[1] and x[3].
template <class T>
TENET_INLINE void nearest_planes(batch<T> const* x, batch<T> const& y, bytes& high, bytes& low) {
    using words = detail::vector_of<std::uint32_t, 16>;
    constexpr std::uint32_t even = 0x00ff00ffu, signs = 0x80808080u;
    // Near 3 * 2^22 the lowest 16 bits of a float are a whole number's; with 128 more, its h and l + 128.
    const batch<T> shift(T{12582912 + 128});
    const auto shifted = [&](std::size_t r) __attribute__((always_inline)) {
        return std::bit_cast<words>(fma<T>(x[r], y, shift).data);
    };
    const words a = (shifted(0) & 0xffffu) | (shifted(1) << 16), b = (shifted(2) & 0xffffu) | (shifted(3) << 16);
    high = std::bit_cast<bytes>(words(((a >> 8) & even) | (b & ~even)));
    low = std::bit_cast<bytes>(words(((a & even) | ((b << 8) & ~even)) ^ signs));
}

/// The sums as floats.
template <class T = float>
TENET_INLINE batch<T> to_floats(byte_sums const& sums) {
    return detail::from_vector<T>(detail::lanes_of<T>(__builtin_convertvector(sums, detail::lanes_of<T>)));
}

}  // namespace tenet::simd
