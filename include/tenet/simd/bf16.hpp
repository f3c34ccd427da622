// SPDX-License-Identifier: MIT
// simd: bfloat16, the upper half of a float, and products of pairs of them. The only place with raw intrinsics for it:
// x86 has a dot product of pairs (AVX512_BF16) at twice the rate of a fused multiply-add; other machines widen.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <tenet/base/macros.hpp>
#include <tenet/simd/bits.hpp>

namespace tenet {

/// A number of 8 bits of exponent and 8 of precision: the upper half of a float's bits. A storage format: arithmetic is
/// done in float. Narrowing rounds to nearest, ties to even; a NaN stays a NaN. PyTorch: torch.bfloat16.
struct bfloat16 {
    std::uint16_t bits = 0;

    constexpr bfloat16() = default;
    constexpr explicit bfloat16(float x) : bits(narrow(std::bit_cast<std::uint32_t>(x))) {}
    constexpr operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

private:
    static constexpr std::uint16_t narrow(std::uint32_t x) {
        if ((x & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>(x >> 16 | 0x40u);
        return static_cast<std::uint16_t>((x + 0x7fffu + (x >> 16 & 1u)) >> 16);
    }
};

namespace simd {

/// Whether `dot_pairs` is one instruction.
#if defined(__AVX512BF16__) && defined(__AVX512BW__)
inline constexpr bool has_bf16_dot = width<float> == 16;
#else
inline constexpr bool has_bf16_dot = false;
#endif

/// Two bfloat16 a 32-bit lane, the first in the low half.
using bf16_pairs = detail::vector_of<std::uint32_t, width<float>>;

namespace detail {

/// The rounded upper halves, in the upper halves; what is below is not cleared.
template <class Words>
TENET_INLINE Words round_to_bf16(Words const& x) {
    const Words rounded = x + 0x7fffu + (x >> 16 & 1u);
    const Words is_nan = std::bit_cast<Words>((x & 0x7fffffffu) > 0x7f800000u);
    return (rounded & ~is_nan) | ((x | 0x400000u) & is_nan);
}

}  // namespace detail

/// Lane by lane (low[i], high[i]), rounded to nearest even.
/// Denormal numbers become zero where there is an instruction for it, else they are rounded as all others.
TENET_INLINE bf16_pairs to_pairs(batch<float> const& low, batch<float> const& high) {
#if defined(__AVX512BF16__) && defined(__AVX512BW__)
    if constexpr (has_bf16_dot) {
        // The instruction puts `low` into the lower 16 places, `high` into the upper: a permutation interleaves them.
        static constexpr std::uint16_t order[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                    8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
        __m512i index;
        std::memcpy(&index, order, sizeof index);
        return std::bit_cast<bf16_pairs>(
            _mm512_permutexvar_epi16(index, std::bit_cast<__m512i>(_mm512_cvtne2ps_pbh(high.data, low.data))));
    }
#endif
    const bf16_pairs l = detail::round_to_bf16(std::bit_cast<bf16_pairs>(low.data));
    const bf16_pairs h = detail::round_to_bf16(std::bit_cast<bf16_pairs>(high.data));
    return (h & 0xffff0000u) | (l >> 16);
}

/// Half a register from each of two places.
TENET_INLINE batch<float> load_halves(float const* low, float const* high) {
    constexpr std::size_t half = width<float> / 2;
    using part = detail::vector_of<float, half>;
    part l, h;
    std::memcpy(&l, low, sizeof l);
    std::memcpy(&h, high, sizeof h);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return batch<float>(std::bit_cast<batch<float>::register_type>(__builtin_shufflevector(l, h, int{I}...)));
    }(std::make_index_sequence<width<float>>{});
}

/// 2 * width floats at `p` as bfloat16 in the same order: lane i holds numbers 2 i and 2 i + 1. Rounds as `to_pairs`.
TENET_INLINE bf16_pairs load_as_pairs(float const* p) {
#if defined(__AVX512BF16__) && defined(__AVX512BW__)
    if constexpr (has_bf16_dot)
        return std::bit_cast<bf16_pairs>(
            _mm512_cvtne2ps_pbh(batch<float>::load_unaligned(p + 16).data, batch<float>::load_unaligned(p).data));
#endif
    bf16_pairs pairs;
    bfloat16 narrow[2 * width<float>];
    for (std::size_t i = 0; i < 2 * width<float>; ++i) narrow[i] = bfloat16(p[i]);
    std::memcpy(&pairs, narrow, sizeof pairs);
    return pairs;
}
TENET_INLINE bf16_pairs load_as_pairs(bfloat16 const* p) {
    bf16_pairs pairs;
    std::memcpy(&pairs, p, sizeof pairs);
    return pairs;
}

/// Writes `width<float>` numbers to `p`. Rounds as `to_pairs`, so that a product of what was stored rounded has the
/// bits of one that rounds on its way.
TENET_INLINE void store_bf16(batch<float> const& x, bfloat16* p) {
#if defined(__AVX512BF16__) && defined(__AVX512BW__)
    if constexpr (has_bf16_dot) {
        const auto rounded = _mm512_cvtneps_pbh(x.data);
        std::memcpy(&p->bits, &rounded, sizeof rounded);
        return;
    }
#endif
    const bf16_pairs words = detail::round_to_bf16(std::bit_cast<bf16_pairs>(x.data)) >> 16;
    const auto v = __builtin_convertvector(words, detail::vector_of<std::uint16_t, width<float>>);
    std::memcpy(&p->bits, &v, sizeof v);
}

/// The numbers in the low and in the high halves, as floats; exact.
TENET_INLINE batch<float> low_of(bf16_pairs const& x) {
    return batch<float>(std::bit_cast<batch<float>::register_type>(bf16_pairs(x << 16)));
}
TENET_INLINE batch<float> high_of(bf16_pairs const& x) {
    return batch<float>(std::bit_cast<batch<float>::register_type>(bf16_pairs(x & 0xffff0000u)));
}

namespace detail {

/// As `dot_pairs`, for processors without the instruction.
TENET_INLINE batch<float> dot_pairs_widened(bf16_pairs const& x, bf16_pairs const& y, batch<float> const& sum) {
    return fma<float>(low_of(x), low_of(y), fma<float>(high_of(x), high_of(y), sum));
}

}  // namespace detail

/// sum + x.low * y.low + x.high * y.high, lane by lane. Products are exact; how the two additions round differs between
/// machines by at most one unit in the last place of the larger, and denormal numbers may count as zero.
TENET_INLINE batch<float> dot_pairs(bf16_pairs const& x, bf16_pairs const& y, batch<float> const& sum) {
#if defined(__AVX512BF16__) && defined(__AVX512BW__)
    if constexpr (has_bf16_dot) {
#if defined(__clang__) && __clang_major__ < 17
        // clang 16 crashes where the intrinsic's operand is one number in all lanes.
        batch<float> total = sum;
        asm("vdpbf16ps %2, %1, %0" : "+v"(total.data) : "v"(x), "v"(y));
        return total;
#else
        return batch<float>(_mm512_dpbf16_ps(sum.data, std::bit_cast<__m512bh>(x), std::bit_cast<__m512bh>(y)));
#endif
    }
#endif
    return detail::dot_pairs_widened(x, y, sum);
}

}  // namespace simd
}  // namespace tenet
