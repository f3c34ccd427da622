// SPDX-License-Identifier: MIT
// kernel: a product of bfloat16 numbers as its blocks see it, and how results are rounded.
#pragma once

#include <cstddef>

#include <tenet/kernel/gemm_finish.hpp>
#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/simd/bf16.hpp>
#include <tenet/simd/convert.hpp>

namespace tenet::kernel::detail {

/// The most k of a block: what the products of a training step like best, so that most have one block of columns. A k
/// that is hardly longer is not cut.
inline constexpr std::size_t bf16_most_k = 512, bf16_most_uncut_k = 1024;

/// A product whose results are of type C: what is not of type float in a problem.
template <class C>
struct bf16_problem;
template <>
struct bf16_problem<float> : gemm_problem<float> {
    void move(std::ptrdiff_t step) { c.data += step; }
};
/// Results that are rounded when they are whole, hence in one block of k. Of `c` there are the strides alone.
template <>
struct bf16_problem<bfloat16> : gemm_problem<float> {
    bfloat16* rounded;
    std::ptrdiff_t moved = 0;  ///< of this entry of a batch
    void move(std::ptrdiff_t step) { moved += step; }
    std::ptrdiff_t offset(std::size_t i, std::size_t j) const {
        return moved + static_cast<std::ptrdiff_t>(i) * c.row_stride + static_cast<std::ptrdiff_t>(j);
    }
};

/// The results of a tile with their epilogue, rounded.
inline void finish_rounded(tile_results<float> const& r, matrix_view<float const> sums) {
    auto const& p = static_cast<bf16_problem<bfloat16> const&>(*r.problem);
    const std::ptrdiff_t offset = p.offset(r.row, r.column);
    finish_into<float, bfloat16, true>(r, {p.rounded + offset, offset}, sums);
}
/// The results of a tile, rounded.
inline void round_sums(tile_results<float> const& r, matrix_view<float const> sums) {
    constexpr std::size_t width = simd::width<float>;
    auto const& p = static_cast<bf16_problem<bfloat16> const&>(*r.problem);
    bfloat16* to = p.rounded + p.offset(r.row, r.column);
    for (std::size_t i = 0; i < r.rows; ++i, to += p.c.row_stride) {
        float const* const from = sums.data + static_cast<std::ptrdiff_t>(i) * sums.row_stride;
        std::size_t j = 0;
        for (; j + width <= r.columns; j += width) simd::store_bf16(simd::batch<float>::load_aligned(from + j), to + j);
        if (j < r.columns)
            simd::store_from_partial<float>(simd::batch<float>::load_aligned(from + j), to + j, r.columns - j);
    }
}

}  // namespace tenet::kernel::detail
