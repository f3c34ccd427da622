// SPDX-License-Identifier: MIT
// kernel: the 4-bit data types: what each code stands for and which code a number gets. The numbers are constants of
// the formats, bit for bit those of bitsandbytes, so that files can be exchanged.
// Source: Dettmers et al., "QLoRA", 2023, appendix E; bitsandbytes, csrc/kernels.cu.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <tenet/kernel/storage.hpp>

namespace tenet::kernel {

/// What the codes of a 4-bit format stand for, in [-1, 1].
using four_bit_map = std::array<float, 16>;

/// NormalFloat: ascending; quantiles of N(0, 1), eight above zero and seven below, scaled to [-1, 1].
inline constexpr four_bit_map nf4_codes = {
    -1.0f,
    -0.6961928009986877f,
    -0.5250730514526367f,
    -0.39491748809814453f,
    -0.28444138169288635f,
    -0.18477343022823334f,
    -0.09105003625154495f,
    0.0f,
    0.07958029955625534f,
    0.16093020141124725f,
    0.24611230194568634f,
    0.33791524171829224f,
    0.44070982933044434f,
    0.5626170039176941f,
    0.7229568362236023f,
    1.0f,
};

/// Floating point of a sign, two bits of exponent and one of fraction, over 12; the sign is the highest bit, the others
/// are in an order of their own: 0, 1/192, 2/3, 1, 1/3, 1/2, 1/6, 1/4.
inline constexpr four_bit_map fp4_codes = {
    0.0f,  0.0625f / 12,  8.0f / 12,  1.0f,  4.0f / 12,  6.0f / 12,  2.0f / 12,  3.0f / 12,
    -0.0f, -0.0625f / 12, -8.0f / 12, -1.0f, -4.0f / 12, -6.0f / 12, -2.0f / 12, -3.0f / 12,
};

constexpr four_bit_map const& codes_of(storage format) {
    return format == storage::fp4 ? fp4_codes : nf4_codes;
}

/// The code of the NF4 value nearest to `x` in [-1, 1]; half-way between two, the lower. A NaN has code 0.
constexpr std::uint8_t nf4_code(float x) {
    // Half-way between neighbours, rounded to float.
    constexpr float thresholds[15] = {-0.8480964004993439f,   -0.6106329262256622f,  -0.4599952697753906f,
                                      -0.33967943489551544f,  -0.23460740596055984f, -0.13791173323988914f,
                                      -0.045525018125772476f, 0.03979014977812767f,  0.1202552504837513f,
                                      0.2035212516784668f,    0.2920137718319893f,   0.3893125355243683f,
                                      0.5016634166240692f,    0.6427869200706482f,   0.8614784181118011f};
    unsigned code = 0;
    for (float t : thresholds) code += x > t;
    return static_cast<std::uint8_t>(code);
}

/// The code of the FP4 value nearest to `x` in [-1, 1]; half-way between two, the smaller. A NaN has code 0.
constexpr std::uint8_t fp4_code(float x) {
    constexpr float thresholds[7] = {0.00260417f, 0.0859375f, 0.20833333f, 0.29166667f,
                                     0.4166667f,  0.583333f,  0.8333333f};
    constexpr std::uint8_t by_size[8] = {0b000, 0b001, 0b110, 0b111, 0b100, 0b101, 0b010, 0b011};
    const float size = x < 0 ? -x : x;
    unsigned rank = 0;
    for (float t : thresholds) rank += size > t;
    return static_cast<std::uint8_t>(by_size[rank] + (x < 0 ? 0b1000 : 0));
}

namespace detail {

/// What the two codes of a byte stand for: the high half first.
struct code_pair {
    float first, second;
};
using pair_map = std::array<code_pair, 256>;

constexpr pair_map pairs_of(four_bit_map const& codes) {
    pair_map pairs{};
    for (std::size_t byte = 0; byte < 256; ++byte) pairs[byte] = {codes[byte / 16], codes[byte % 16]};
    return pairs;
}
inline constexpr pair_map nf4_pairs = pairs_of(nf4_codes), fp4_pairs = pairs_of(fp4_codes);

}  // namespace detail

/// A block of at most 64 numbers as codes, two a byte, the first in the high half. The last byte of an odd block has
/// code 0 of zero in its low half. Returns the scale: the largest absolute value; 0 gives the code of zero everywhere.
inline float encode_block(storage format, float const* w, std::size_t n, std::uint8_t* packed) {
    float largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const float size = w[i] < 0 ? -w[i] : w[i];
        largest = size > largest ? size : largest;
    }
    // A block of denormal numbers, whose inverse would be infinite, is scaled by less.
    const float scale = 1 / (largest > 1e-38f ? largest : 1e-38f);
    const auto code = [&](std::size_t i) {
        const float x = i < n ? w[i] * scale : 0;
        return format == storage::fp4 ? fp4_code(x) : nf4_code(x);
    };
    for (std::size_t i = 0; i < n; i += 2) packed[i / 2] = static_cast<std::uint8_t>(code(i) << 4 | code(i + 1));
    return largest;
}

}  // namespace tenet::kernel
