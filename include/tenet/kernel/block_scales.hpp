// SPDX-License-Identifier: MIT
// kernel: the scales of many blocks of 4-bit codes. Their own codes are of the signed dynamic map, whose numbers are
// computed from the bits of the code, sixteen at a time: a lookup in memory for each would cost as much as the block's
// products with a vector.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/simd/int8.hpp>
#include <tenet/simd/lookup.hpp>

namespace tenet::kernel::detail {

/// signed_dynamic_map of sixteen codes, within 2^-20 of each number.
///
/// Code c has the sign of s = c - 127, and magnitude p (0.9 m - 0.8) where |s| + 1/2 = m 2^e, m in [1, 2), and
/// p = 10^(e - 6): the fraction of a number is the middle of one of 2^e parts of [0.1, 1]. 128 stands for 1.
template <class T = float>
TENET_INLINE simd::batch<T> signed_dynamic_numbers(std::byte const* codes) {
    using batch = simd::batch<T>;
    // By the lowest four bits of a float's exponent, which is 127 + e; there is nothing below 1: s = 0.
    alignas(64) static constexpr float powers[16] = {
        1e-5f, 1e-4f, 1e-3f, 1e-2f, 1e-1f, 1, 1 / (0.9f * (1 + 0.5f / 128) - 0.8f), 0, 0, 0, 0, 0, 0, 0, 0, 1e-6f};
    constexpr std::uint32_t sign_bit = 0x80000000u, fraction_bits = 0x007fffffu;
    using words = simd::code_words;
    const batch s = simd::load_unsigned_bytes(reinterpret_cast<std::uint8_t const*>(codes)) - batch(T{127});
    const words bits = std::bit_cast<words>(s.data), sign = bits & sign_bit;
    const batch half_up = simd::detail::from_vector<T>(words(bits ^ sign)) + batch(T(0.5));
    const words t = std::bit_cast<words>(half_up.data);
    const batch power = simd::detail::lookup_words<T>(batch::load_aligned(powers), words(t >> 23)),
                m = simd::detail::from_vector<T>(words((t & fraction_bits) | std::bit_cast<std::uint32_t>(1.0f)));
    const batch magnitude = power * simd::fma<T>(batch(T(0.9)), m, batch(T(-0.8)));
    return simd::detail::from_vector<T>(words(std::bit_cast<words>(magnitude.data) | sign));
}

/// to[i] = the scale of block first + i of 4-bit codes; up to 15 numbers more than `n` are written.
template <class T = float>
TENET_INLINE void block_scales(stored_matrix const& w, std::size_t first, std::size_t n, T* to) {
    using batch = simd::batch<T>;
    std::byte const* const codes = w.record + w.layout.scale_codes_at();
    const std::size_t all = w.layout.blocks();
    const batch offset(w.scale_offset());
    for (std::size_t i = 0; i < n;) {
        // Blocks whose scales have one factor; the next ones are written over what is beyond them.
        const std::size_t b = first + i, end = std::min(n, i + scale_block - b % scale_block);
        const batch unit(w.scale(b / scale_block));
        for (; i < end; i += std::min<std::size_t>(16, end - i)) {
            std::byte const* from = codes + first + i;
            std::byte last[16] = {};
            if (first + i + 16 > all) {  // nothing beyond the record is read
                std::copy(from, codes + all, last);
                from = last;
            }
            simd::fma<T>(signed_dynamic_numbers<T>(from), unit, offset).store_unaligned(to + i);
        }
    }
}

}  // namespace tenet::kernel::detail
