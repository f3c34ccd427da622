// SPDX-License-Identifier: MIT
// kernel: rotary position embedding. Pairs of elements are rotated by an angle that grows with the position, so that
// the product of a query and a key depends on how far apart they are.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/row.hpp>

namespace tenet::kernel {

/// Which elements of a head form pair number i: neighbours (2i, 2i + 1), as in the paper and in llama2.c, or (i,
/// i + D / 2), as in GPT-NeoX and in the Hugging Face Llama.
enum class rotary_pairs : std::uint8_t { interleaved, halves };

namespace detail {

/// Rotates the pairs [0, n) of a row; `step` from pair to pair, `apart` from one element of a pair to the other.
template <class T>
TENET_INLINE void rotate_pairs(T const* x, T* y, std::size_t n, std::size_t step, std::size_t apart, T const* cosine,
                               T const* sine) {
    for (std::size_t i = 0; i < n; ++i) {
        const T a = x[i * step], b = x[i * step + apart];
        y[i * step] = a * cosine[i] - b * sine[i];
        y[i * step + apart] = a * sine[i] + b * cosine[i];
    }
}

}  // namespace detail

/// y[p, r, :] = x[p, r, :] with pair i rotated by the angle positions[p] base^(-2i / D), or by its negative.
///
/// x, y: [P, R, D], D even; positions: [P]. Angles, sines and cosines are computed in double and rounded once, for all
/// rows of a position together. y may be x. Source: Su et al., "RoFormer", 2021, eq. (34).
/// transformers: apply_rotary_pos_emb (halves).
template <rotary_pairs Pairs, class T>
void rotary(T const* x, std::int32_t const* positions, T* y, auto P, auto R, auto D, double base, bool inverse) {
    constexpr std::size_t block = 128;
    const std::size_t rows = R, size = D, half = size / 2;
    const double ratio = std::pow(base, -2.0 / static_cast<double>(size));
    detail::for_rows(P, 4 * rows * size + 32 * half, [=](std::size_t p) {
        T cosine[block], sine[block];
        const double position = static_cast<double>(positions[p]) * (inverse ? -1 : 1);
        double frequency = 1;
        for (std::size_t first = 0; first < half; first += block) {
            const std::size_t n = std::min(block, half - first);
            for (std::size_t i = 0; i < n; ++i, frequency *= ratio) {
                cosine[i] = static_cast<T>(std::cos(position * frequency));
                sine[i] = static_cast<T>(std::sin(position * frequency));
            }
            for (std::size_t r = 0; r < rows; ++r) {
                const std::size_t row = (p * rows + r) * size;
                if constexpr (Pairs == rotary_pairs::halves)
                    detail::rotate_pairs(x + row + first, y + row + first, n, 1, half, cosine, sine);
                else detail::rotate_pairs(x + row + 2 * first, y + row + 2 * first, n, 2, 1, cosine, sine);
            }
        }
    });
}

}  // namespace tenet::kernel
