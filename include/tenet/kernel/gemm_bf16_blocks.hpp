// SPDX-License-Identifier: MIT
// kernel: products of bfloat16 numbers by the processor's own tiles: the loops over blocks, which pack both operands.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenet/kernel/gemm_bf16_problem.hpp>
#include <tenet/kernel/gemm_bf16_units.hpp>

namespace tenet::kernel::detail {

/// Whether a product is worth tiles, by its sizes alone.
inline bool bf16_by_tiles(std::size_t m, std::size_t n, std::size_t k) {
    return simd::has_tiles && m >= 4 && n >= 4 && k >= simd::tile_size && simd::tiles_allowed();
}

#if TENET_HAS_TILES

/// Rows [i0, i0 + m) and columns [j0, j0 + n) of c, on this thread.
template <class A, class B, class C>
[[gnu::noinline]] void bf16_tiles_block(bf16_problem<C> const& p, matrix_view<A const> a, matrix_view<B const> b,
                                        std::size_t i0, std::size_t m, std::size_t j0, std::size_t n) {
    constexpr std::size_t side = simd::tile_size;
    auto* const packed_b = reinterpret_cast<std::uint32_t*>(workspace().b);
    auto* const packed_a = reinterpret_cast<std::uint32_t*>(workspace().a);
    alignas(64) float sums[block_side * block_side];
    const bool contiguous = p.c.column_stride == 1, finishes = p.finish.contiguous != nullptr;
    gemm_problem<float> partial = p;  // for the blocks of k before the last: without what must happen once
    partial.finish.values = {};
    partial.finish.values.scale = p.finish.values.scale;
    tile_finish<float> finish = contiguous ? &finish_plain<float, true> : &finish_plain<float, false>;
    if (finishes) finish = contiguous ? p.finish.contiguous : p.finish.strided;
    const std::size_t kc = p.k <= bf16_most_uncut_k ? p.k : even_part(p.k, bf16_most_k, 2 * side);
    const std::size_t most_steps = round_up((kc + 1) / 2, side);
    const std::size_t nc =
        even_part(n, b_bytes / sizeof(std::uint32_t) / most_steps / block_side * block_side, block_side);
    const simd::tiles_in_use tiles;
    for (std::size_t j = 0; j < n; j += nc)
        for (std::size_t k = 0; k < p.k; k += kc) {
            const std::size_t columns = std::min(nc, n - j), depth = std::min(kc, p.k - k), pairs = (depth + 1) / 2,
                              steps = round_up(pairs, side), stride = steps + side;
            const bool last = k + depth == p.k, accumulate = p.accumulate || k != 0;
            for (std::size_t i = 0; i < m; i += block_side) {
                const std::size_t rows = std::min(block_side, m - i);
                pack_a_tiles(at(a, i0 + i, k), rows, depth, steps, packed_a, stride);
                for (std::size_t q = 0; q < columns; q += block_side) {
                    const std::size_t here = std::min(block_side, columns - q), padded = round_up(here, side);
                    std::uint32_t* const panel = packed_b + q * steps;
                    if (i == 0) {
                        pack_b_pairs(at(b, k, j0 + j + q), depth, here, padded, panel);
                        std::fill(panel + pairs * padded, panel + steps * padded, 0u);
                    }
                    matrix_view<float> c = p.c;
                    if constexpr (std::is_same_v<C, float>) {
                        c.data += static_cast<std::ptrdiff_t>(i0 + i) * c.row_stride +
                                  static_cast<std::ptrdiff_t>(j0 + j + q) * c.column_stride;
                        if (contiguous && !finishes && rows % side == 0 && here % side == 0) {
                            multiply_block(rows, here, packed_a, stride, panel, padded, steps, c.data, c.row_stride,
                                           accumulate);
                            continue;
                        }
                    }
                    multiply_block(rows, here, packed_a, stride, panel, padded, steps, sums,
                                   static_cast<std::ptrdiff_t>(padded), false);
                    finish({last ? &p : &partial, c, i0 + i, j0 + j + q, rows, here, accumulate},
                           {sums, static_cast<std::ptrdiff_t>(padded), 1});
                }
            }
        }
}

#endif

}  // namespace tenet::kernel::detail
