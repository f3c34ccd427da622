// SPDX-License-Identifier: MIT
// kernel: blocks of 32 by 32 results of products of bfloat16 numbers by the processor's own tiles. Operands are packed
// as pairs along k, k padded with zeros to whole tiles.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <tenet/kernel/gemm_bf16_pack.hpp>
#include <tenet/simd/tiles.hpp>
#include <tenet/simd/transpose.hpp>

namespace tenet::kernel::detail {

/// Rows and columns of a block of tiles.
inline constexpr std::size_t block_side = 2 * simd::tile_size;

#if TENET_HAS_TILES

/// `rows` rows of a as rows of `steps` pairs, `stride` pairs apart, up to whole tiles; what is beyond k and rows is
/// zero.
template <class S>
[[gnu::noinline]] void pack_a_tiles(matrix_view<S const> a, std::size_t rows, std::size_t k, std::size_t steps,
                                    std::uint32_t* to, std::size_t stride) {
    constexpr std::size_t side = simd::tile_size;
    const std::size_t whole = round_up(rows, side);
    std::size_t done = 0;  // steps of all rows
    if (a.row_stride == 1 && a.column_stride != 1 && rows == whole && simd::transpose_size<float> == side) {
        // Squares of pairs, turned over.
        for (; done + side <= k / 2; done += side)
            for (std::size_t i = 0; i < rows; i += side) {
                alignas(64) std::uint32_t pairs[side * side];
                S const* from = a.data + static_cast<std::ptrdiff_t>(2 * done) * a.column_stride + i;
                for (std::size_t s = 0; s < side; ++s, from += 2 * a.column_stride)
                    interleave_pairs<side>(from, from + a.column_stride, pairs + s * side);
                simd::transpose_square<std::uint32_t>(pairs, static_cast<std::ptrdiff_t>(side), to + i * stride + done,
                                                      static_cast<std::ptrdiff_t>(stride));
            }
    }
    for (std::size_t i = 0; i < whole; ++i) {
        std::uint32_t* const row = to + i * stride;
        if (i >= rows) {
            std::fill_n(row, steps, 0u);
            continue;
        }
        S const* const from = a.data + static_cast<std::ptrdiff_t>(i) * a.row_stride +
                              static_cast<std::ptrdiff_t>(2 * done) * a.column_stride;
        if (a.column_stride == 1) pack_row_pairs(from, k, row);
        else pack_pairs_one_by_one(from, a.column_stride, k - 2 * done, row + done, 1);
        std::fill(row + (k + 1) / 2, row + steps, 0u);
    }
}

/// to = a b, or to += a b if `add`, for Rows by Columns tiles; strides of a and b in pairs, that of `to` in floats.
template <std::size_t Rows, std::size_t Columns>
[[gnu::noinline]] void multiply_tiles(std::uint32_t const* a, std::size_t a_stride, std::uint32_t const* b,
                                      std::size_t b_stride, std::size_t steps, float* to, std::ptrdiff_t to_stride,
                                      bool add) {
    constexpr std::size_t side = simd::tile_size;
    const auto a_row = static_cast<std::ptrdiff_t>(4 * a_stride), b_row = static_cast<std::ptrdiff_t>(4 * b_stride);
    const auto place = [=](std::size_t t) __attribute__((always_inline)) {
        return to + static_cast<std::ptrdiff_t>(t / Columns * side) * to_stride + t % Columns * side;
    };
    constexpr int of_a = 4, of_b = 6;  // tiles of sums come first
    [&]<std::size_t... T, std::size_t... I, std::size_t... J>(std::index_sequence<T...>, std::index_sequence<I...>,
                                                              std::index_sequence<J...>)
        __attribute__((always_inline)) {
            if (add) (simd::load_tile<int{T}>(place(T), 4 * to_stride), ...);
            else (simd::zero_tile<int{T}>(), ...);
            for (std::size_t s = 0; s < steps; s += side, a += side, b += side * b_stride) {
                (simd::load_tile<of_a + int{I}>(a + I * side * a_stride, a_row), ...);
                (simd::load_tile<of_b + int{J}>(b + J * side, b_row), ...);
                (simd::dot_tiles<int{T}, of_a + int{T / Columns}, of_b + int{T % Columns}>(), ...);
            }
            (simd::store_tile<int{T}>(place(T), 4 * to_stride), ...);
        }(std::make_index_sequence<Rows * Columns>{}, std::make_index_sequence<Rows>{},
          std::make_index_sequence<Columns>{});
}

/// A block of up to two by two tiles; what is beyond `rows` and `columns` up to whole tiles is computed too.
inline void multiply_block(std::size_t rows, std::size_t columns, std::uint32_t const* a, std::size_t a_stride,
                           std::uint32_t const* b, std::size_t b_stride, std::size_t steps, float* to,
                           std::ptrdiff_t to_stride, bool add) {
    constexpr std::size_t side = simd::tile_size;
    const auto f = rows > side ? (columns > side ? &multiply_tiles<2, 2> : &multiply_tiles<2, 1>)
                               : (columns > side ? &multiply_tiles<1, 2> : &multiply_tiles<1, 1>);
    f(a, a_stride, b, b_stride, steps, to, to_stride, add);
}

#endif

}  // namespace tenet::kernel::detail
