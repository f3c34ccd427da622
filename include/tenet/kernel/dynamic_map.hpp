// SPDX-License-Identifier: MIT
// kernel: the dynamic 8-bit data type: 256 numbers in [-1, 1] or [0, 1] whose exponent takes as many bits as it needs
// and whose fraction has the rest, so that small numbers keep their magnitude and large ones their digits.
// Source: Dettmers, "8-Bit Approximations for Parallelism in Deep Learning", 2016; bitsandbytes, create_dynamic_map.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tenet::kernel {

/// The 256 values of a data type of one byte, ascending.
using byte_map = std::array<float, 256>;

namespace detail {

// torch.linspace(0.1, 1, n + 1)[k] in single precision: from the nearer end.
constexpr float tenth_to_one(std::size_t k, std::size_t n) {
    constexpr float first = 0.1f, last = 1.0f;
    const float step = (last - first) / static_cast<float>(n);
    return k < (n + 1) / 2 ? first + step * static_cast<float>(k) : last - step * static_cast<float>(n - k);
}

constexpr byte_map create_dynamic_map(bool with_sign) {
    // By exponent, then fraction: ascending already, but for the sign.
    constexpr float powers[] = {1e-6f, 1e-5f, 1e-4f, 1e-3f, 1e-2f, 1e-1f, 1.0f};
    byte_map positive{};
    std::size_t count = 0;
    for (std::size_t e = 0; e < 7; ++e) {
        const std::size_t fractions = std::size_t{1} << (with_sign ? e : e + 1);
        for (std::size_t k = 0; k < fractions; ++k)
            positive[count++] = powers[e] * ((tenth_to_one(k, fractions) + tenth_to_one(k + 1, fractions)) / 2);
    }
    byte_map map{};
    std::size_t n = 0;
    for (std::size_t i = count; with_sign && i-- > 0;) map[n++] = -positive[i];
    map[n++] = 0;
    for (std::size_t i = 0; i < count; ++i) map[n++] = positive[i];
    map[n++] = 1;
    return map;
}

}  // namespace detail

/// The signed dynamic map: of scales of weights, and of the first moments of optimisers.
inline constexpr byte_map signed_dynamic_map = detail::create_dynamic_map(true);
/// The unsigned one: of second moments.
inline constexpr byte_map unsigned_dynamic_map = detail::create_dynamic_map(false);

/// The code of the value in an ascending map that lies nearest to `x`; of two, the lower. A NaN has code 0.
constexpr std::uint8_t nearest_code(byte_map const& map, float x) {
    // The number of values below x, by halves; then the nearer of the last of them and the next.
    std::size_t low = 0;
    for (std::size_t step = 128; step != 0; step /= 2)
        if (map[low + step] < x) low += step;
    if (low < 255 && x - map[low] > map[low + 1] - x) ++low;
    return static_cast<std::uint8_t>(low);
}

}  // namespace tenet::kernel
