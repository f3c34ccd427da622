// SPDX-License-Identifier: MIT
// kernel: operands of products of bfloat16 numbers as pairs along k, from floats or bfloat16 numbers of any strides. A
// last odd k is paired with zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/kernel/gemm_tile.hpp>
#include <tenet/simd/bf16.hpp>
#include <tenet/simd/transpose.hpp>

namespace tenet::kernel::detail {

template <class S>
matrix_view<S const> at(matrix_view<S const> v, std::size_t i, std::size_t j) {
    v.data += static_cast<std::ptrdiff_t>(i) * v.row_stride + static_cast<std::ptrdiff_t>(j) * v.column_stride;
    return v;
}

TENET_INLINE std::uint32_t pair_of(bfloat16 low, bfloat16 high) {
    return std::uint32_t{high.bits} << 16 | low.bits;
}
template <class S>
TENET_INLINE bfloat16 as_bf16(S x) {
    if constexpr (std::is_same_v<S, bfloat16>) return x;
    else return bfloat16(x);
}

/// `k` numbers `step` apart as (k + 1) / 2 pairs `to_step` apart.
template <class S>
void pack_pairs_one_by_one(S const* from, std::ptrdiff_t step, std::size_t k, std::uint32_t* to, std::size_t to_step) {
    for (std::size_t s = 0; s < k; s += 2, from += 2 * step, to += to_step)
        *to = pair_of(as_bf16(from[0]), s + 1 < k ? as_bf16(from[step]) : bfloat16());
}

/// k contiguous numbers as (k + 1) / 2 pairs.
template <class S>
TENET_INLINE void pack_row_pairs(S const* from, std::size_t k, std::uint32_t* to) {
    constexpr std::size_t two = 2 * simd::width<float>;
    std::size_t s = 0;
    for (; s + two <= k; s += two) {
        const simd::bf16_pairs pairs = simd::load_as_pairs(from + s);
        std::memcpy(to + s / 2, &pairs, sizeof pairs);
    }
    if (s == k) return;
    S rest[two] = {};
    std::memcpy(rest, from + s, (k - s) * sizeof(S));
    const simd::bf16_pairs pairs = simd::load_as_pairs(rest);
    std::memcpy(to + s / 2, &pairs, (k - s + 1) / 2 * sizeof(std::uint32_t));
}

/// Strides of a packed a, in pairs.
struct pair_strides {
    std::ptrdiff_t row, step;
};

/// Lanes of `to`: (low[i], high[i]) for `Count` numbers each.
template <std::size_t Count, class S>
TENET_INLINE void interleave_pairs(S const* low, S const* high, std::uint32_t* to) {
    if constexpr (std::is_same_v<S, bfloat16>) {
        simd::detail::vector_of<std::uint16_t, Count> l, h;
        std::memcpy(&l, low, sizeof l);
        std::memcpy(&h, high, sizeof h);
        using words = simd::detail::vector_of<std::uint32_t, Count>;
        const words both = __builtin_convertvector(l, words) | __builtin_convertvector(h, words) << 16;
        std::memcpy(to, &both, sizeof both);
    } else if constexpr (Count == simd::width<float>) {
        using batch = simd::batch<float>;
        const simd::bf16_pairs both = simd::to_pairs(batch::load_unaligned(low), batch::load_unaligned(high));
        std::memcpy(to, &both, sizeof both);
    } else {
        using words = simd::detail::vector_of<std::uint32_t, Count>;
        words l, h;
        std::memcpy(&l, low, sizeof l);
        std::memcpy(&h, high, sizeof h);
        const words both = (simd::detail::round_to_bf16(h) & 0xffff0000u) | simd::detail::round_to_bf16(l) >> 16;
        std::memcpy(to, &both, sizeof both);
    }
}

/// Packs `rows` rows of a panel of a. Rows that are contiguous along k stay rows; else rows lie side by side.
template <class S>
[[gnu::noinline]] pair_strides pack_a_pairs(matrix_view<S const> a, std::size_t rows, std::size_t k,
                                            std::uint32_t* to) {
    constexpr std::size_t width = simd::width<float>, tile = tile_rows<float>;
    if (a.column_stride == 1) {
        // Off the power of two; workspace().a has a line to spare for each row.
        const std::size_t stride = (k + 1) / 2 + 16;
        for (std::size_t i = 0; i < rows; ++i, to += stride)
            pack_row_pairs(a.data + static_cast<std::ptrdiff_t>(i) * a.row_stride, k, to);
        return {static_cast<std::ptrdiff_t>(stride), 1};
    }
    if (a.row_stride == 1 && rows == tile) {
        S const* from = a.data;
        std::size_t s = 0;
        if constexpr (2 * tile == width && std::is_same_v<S, float>) {
            // Two steps of k fill a register.
            for (; s + 4 <= k; s += 4, from += 4 * a.column_stride, to += 2 * tile) {
                const simd::bf16_pairs pairs =
                    simd::to_pairs(simd::load_halves(from, from + 2 * a.column_stride),
                                   simd::load_halves(from + a.column_stride, from + 3 * a.column_stride));
                std::memcpy(to, &pairs, sizeof pairs);
            }
        }
        for (; s + 2 <= k; s += 2, from += 2 * a.column_stride, to += tile) {
            if constexpr ((tile & (tile - 1)) == 0) {
                interleave_pairs<tile>(from, from + a.column_stride, to);
            } else {
                for (std::size_t i = 0; i < tile; ++i)
                    to[i] = pair_of(as_bf16(from[i]), as_bf16(from[static_cast<std::ptrdiff_t>(i) + a.column_stride]));
            }
        }
        if (k % 2 != 0)
            for (std::size_t i = 0; i < tile; ++i) to[i] = pair_of(as_bf16(from[i]), bfloat16());
        return {1, static_cast<std::ptrdiff_t>(tile)};
    }
    for (std::size_t i = 0; i < rows; ++i)
        pack_pairs_one_by_one(a.data + static_cast<std::ptrdiff_t>(i) * a.row_stride, a.column_stride, k, to + i, rows);
    return {1, static_cast<std::ptrdiff_t>(rows)};
}

/// Packs a panel of b as [(k + 1) / 2][padded], padded a multiple of the width; columns beyond are zero.
template <class S>
[[gnu::noinline]] void pack_b_pairs(matrix_view<S const> b, std::size_t k, std::size_t columns, std::size_t padded,
                                    std::uint32_t* to) {
    constexpr std::size_t width = simd::width<float>;
    const std::size_t steps = (k + 1) / 2, whole = columns / width * width;
    std::size_t done = 0;  // columns packed in whole registers
    if (b.column_stride == 1) {
        constexpr std::ptrdiff_t ahead = 16;
        S const* from = b.data;
        std::uint32_t* row = to;
        for (std::size_t s = 0; s + 2 <= k; s += 2, from += 2 * b.row_stride, row += padded)
            for (std::size_t j = 0; j < whole; j += width) {
                __builtin_prefetch(from + j + ahead * b.row_stride);
                __builtin_prefetch(from + j + (ahead + 1) * b.row_stride);
                interleave_pairs<width>(from + j, from + b.row_stride + j, row + j);
            }
        if (k % 2 != 0)
            for (std::size_t j = 0; j < whole; ++j) row[j] = pair_of(as_bf16(from[j]), bfloat16());
        done = whole;
    } else if (b.row_stride == 1 && simd::transpose_size<float> == width) {
        // Squares of words: width columns by 2 width steps of k.
        const std::size_t squares = k / (2 * width);
        for (std::size_t j = 0; j < whole; j += width) {
            for (std::size_t q = 0; q < squares; ++q) {
                alignas(64) std::uint32_t words[width * width];
                for (std::size_t c = 0; c < width; ++c) {
                    S const* const from = b.data + static_cast<std::ptrdiff_t>(j + c) * b.column_stride + q * 2 * width;
                    __builtin_prefetch(from + 4 * width);
                    const simd::bf16_pairs pairs = simd::load_as_pairs(from);
                    std::memcpy(words + c * width, &pairs, sizeof pairs);
                }
                simd::transpose_square<std::uint32_t>(words, static_cast<std::ptrdiff_t>(width),
                                                      to + q * width * padded + j, static_cast<std::ptrdiff_t>(padded));
            }
            for (std::size_t c = j; c < j + width; ++c)
                pack_pairs_one_by_one(b.data + static_cast<std::ptrdiff_t>(c) * b.column_stride +
                                          static_cast<std::ptrdiff_t>(squares * 2 * width) * b.row_stride,
                                      b.row_stride, k - squares * 2 * width, to + squares * width * padded + c, padded);
        }
        done = whole;
    }
    for (std::size_t j = done; j < columns; ++j)
        pack_pairs_one_by_one(b.data + static_cast<std::ptrdiff_t>(j) * b.column_stride, b.row_stride, k, to + j,
                              padded);
    for (std::size_t j = columns; j < padded; ++j)
        for (std::size_t s = 0; s < steps; ++s) to[s * padded + j] = 0;
}

}  // namespace tenet::kernel::detail
