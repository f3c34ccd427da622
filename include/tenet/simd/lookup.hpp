// SPDX-License-Identifier: MIT
// simd: a table of 16 numbers in one register, looked up by 4-bit codes. Only where the compiler has a shuffle by
// run-time indices and registers hold 16 floats; elsewhere tables in memory are as good.
#pragma once

#include <cstdint>
#include <cstring>

#include <tenet/simd/bits.hpp>

namespace tenet::simd {

/// Whether `lookup_codes` is a few instructions for this machine and compiler.
#if defined(__clang__)
inline constexpr bool has_lookup = false;
#else
inline constexpr bool has_lookup = width<float> == 16;
#endif

/// Sixteen numbers of a table by the codes in the eight bytes at `p`, two a byte, the first in the high half.
template <class T>
TENET_INLINE batch<T> lookup_codes(batch<T> const& table, std::uint8_t const* p) {
    static_assert(width<T> == 16);
    using words = detail::vector_of<std::uint32_t, width<T>>;
    std::uint32_t half[2];
    std::memcpy(half, p, sizeof half);
    constexpr words shifts = {4, 0, 12, 8, 20, 16, 28, 24, 4, 0, 12, 8, 20, 16, 28, 24};
#if defined(__clang__)
    const words codes = words{half[0], half[0], half[0], half[0], half[0], half[0], half[0], half[0],
                              half[1], half[1], half[1], half[1], half[1], half[1], half[1], half[1]} >>
                        shifts;
    const auto from = detail::to_lanes<T>(table);
    detail::lanes_of<T> numbers{};
    for (int i = 0; i < 16; ++i) numbers[i] = from[codes[i] & 15];
    return detail::from_vector<T>(numbers);
#else
    const words both = {half[0], half[1]};
    constexpr words halves = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1};
    // The shuffle looks at the lowest four bits of an index only.
    const words codes = __builtin_shuffle(both, halves) >> shifts;
    return detail::from_vector<T>(__builtin_shuffle(detail::to_lanes<T>(table), codes));
#endif
}

}  // namespace tenet::simd
