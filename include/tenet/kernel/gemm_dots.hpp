// SPDX-License-Identifier: MIT
// kernel: matrix products as dot products, where rows of a and columns of b are contiguous and one of the two has so
// few that packing b would cost more than the product: 4 x 4 or 8 x 2 dot products at a time, their lanes added as one
// tree.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm_finish.hpp>
#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/kernel/gemm_tail.hpp>
#include <tenet/simd/batch.hpp>
#include <tenet/simd/bits.hpp>
#include <tenet/simd/reduce.hpp>

namespace tenet::kernel::detail {

/// Columns and rows whose sums are finished together.
inline constexpr std::size_t dot_chunk = 16, dot_rows_chunk = 24;

/// Half the lanes of x and half of y: sums of lanes `Distance` apart, those of x first.
template <class T, std::size_t Distance, std::size_t... Half>
TENET_INLINE simd::batch<T> fold_pair(simd::batch<T> const& x, simd::batch<T> const& y, std::index_sequence<Half...>) {
    constexpr std::size_t width = simd::width<T>;
    constexpr auto lane = [](std::size_t h) { return h / Distance * 2 * Distance + h % Distance; };
    const auto a = simd::detail::to_lanes<T>(x), b = simd::detail::to_lanes<T>(y);
    const simd::detail::lanes_of<T> low = __builtin_shufflevector(a, b, lane(Half)..., (width + lane(Half))...);
    const simd::detail::lanes_of<T> high =
        __builtin_shufflevector(a, b, (lane(Half) + Distance)..., (width + lane(Half) + Distance)...);
    return simd::detail::from_vector<T>(simd::detail::lanes_of<T>(low + high));
}

/// Writes the sum of the lanes of each of Count registers; Count and the width are powers of two.
template <class T, std::size_t Count, std::size_t Distance = simd::width<T> / 2>
TENET_INLINE void store_sums(simd::batch<T> const (&x)[Count], T* sums) {
    constexpr std::size_t width = simd::width<T>;
    if constexpr (Distance == 0) {
        TENET_UNROLL
        for (std::size_t i = 0; i < Count; ++i) x[i].store_unaligned(sums + i * width);
    } else if constexpr (Count == 1) {
        *sums = simd::reduce_add<T>(x[0]);
    } else {
        simd::batch<T> half[Count / 2];
        TENET_UNROLL
        for (std::size_t i = 0; i < Count / 2; ++i)
            half[i] = fold_pair<T, Distance>(x[2 * i], x[2 * i + 1], std::make_index_sequence<width / 2>{});
        store_sums<T, Count / 2, Distance / 2>(half, sums);
    }
}

/// sums[i * dot_chunk + j] = the sum over s of a[i * a_row + s] b[j * b_row + s], for Rows x Columns of them.
template <std::size_t Rows, std::size_t Columns, class T>
[[gnu::noinline]] void dot_tile(T const* a, std::ptrdiff_t a_row, T const* b, std::ptrdiff_t b_row, std::size_t k,
                                T* sums) {
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>;
    const auto row_of = [](T const* p, std::size_t i, std::ptrdiff_t row) {
        return p + static_cast<std::ptrdiff_t>(i) * row;
    };
    batch sum[Rows * Columns];
    TENET_UNROLL
    for (std::size_t i = 0; i < Rows * Columns; ++i) sum[i] = batch(T{0});
    std::size_t left = k;
    for (; left >= width; left -= width) {
        batch x[Rows];
        TENET_UNROLL
        for (std::size_t i = 0; i < Rows; ++i) x[i] = batch::load_unaligned(row_of(a, i, a_row));
        a += width;  // here, not below: g++ would read x again for every column rather than keep it in registers
        TENET_UNROLL
        for (std::size_t j = 0; j < Columns; ++j) {
            T const* const column = row_of(b, j, b_row);
            __builtin_prefetch(row_of(column, Columns, b_row));
            const batch y = batch::load_unaligned(column);
            TENET_UNROLL
            for (std::size_t i = 0; i < Rows; ++i) sum[i * Columns + j] = simd::fma<T>(x[i], y, sum[i * Columns + j]);
        }
        b += width;
    }
    if (left != 0) {
        alignas(64) T x[Rows][width], y[width];
        for (std::size_t i = 0; i < Rows; ++i) copy_padded(row_of(a, i, a_row), left, x[i]);
        TENET_UNROLL
        for (std::size_t j = 0; j < Columns; ++j) {
            copy_padded(row_of(b, j, b_row), left, y);
            TENET_UNROLL
            for (std::size_t i = 0; i < Rows; ++i)
                sum[i * Columns + j] =
                    simd::fma<T>(batch::load_aligned(x[i]), batch::load_aligned(y), sum[i * Columns + j]);
        }
    }
    alignas(64) T all[Rows * Columns < width ? width : Rows * Columns];
    if constexpr (Rows * Columns >= width && Columns != 1) {
        store_sums<T, Rows * Columns>(sum, all);
    } else {
        TENET_UNROLL
        for (std::size_t i = 0; i < Rows * Columns; ++i) all[i] = simd::reduce_add<T>(sum[i]);
    }
    for (std::size_t i = 0; i < Rows; ++i)
        for (std::size_t j = 0; j < Columns; ++j) sums[i * dot_chunk + j] = all[i * Columns + j];
}

/// c (+)= a b for rows of a and columns of b that are contiguous.
template <class T>
[[gnu::noinline]] void rows_times_columns(gemm_problem<T> const& p) {
    alignas(64) T sums[dot_rows_chunk * dot_chunk];
    const bool contiguous = p.c.column_stride == 1;
    tile_finish<T> const finish = p.finish.contiguous ? (contiguous ? p.finish.contiguous : p.finish.strided)
                                  : contiguous        ? &finish_plain<T, true>
                                                      : &finish_plain<T, false>;
    const std::ptrdiff_t a_row = p.a.row_stride, b_row = p.b.column_stride;
    for (std::size_t i0 = 0; i0 < p.m; i0 += dot_rows_chunk)
        for (std::size_t j0 = 0; j0 < p.n; j0 += dot_chunk) {
            const std::size_t m = std::min(dot_rows_chunk, p.m - i0), n = std::min(dot_chunk, p.n - j0);
            T const* b = p.b.data + static_cast<std::ptrdiff_t>(j0) * b_row;
            for (std::size_t j = 0; j < n;) {
                const std::size_t columns = n - j >= 4 ? 4 : 1;
                T const* a = p.a.data + static_cast<std::ptrdiff_t>(i0) * a_row;
                for (std::size_t i = 0; i < m;) {
                    const bool tall = simd::width<T> == 16 && m - i >= 8 && columns == 4;
                    const std::size_t rows = tall ? 8 : m - i >= 4 ? 4 : m - i >= 2 ? 2 : 1;
                    T* const to = sums + i * dot_chunk + j;
                    if (tall) {
                        dot_tile<8, 2>(a, a_row, b, b_row, p.k, to);
                        dot_tile<8, 2>(a, a_row, b + 2 * b_row, b_row, p.k, to + 2);
                    } else if (rows == 4)
                        columns == 4 ? dot_tile<4, 4>(a, a_row, b, b_row, p.k, to)
                                     : dot_tile<4, 1>(a, a_row, b, b_row, p.k, to);
                    else if (rows == 2)
                        columns == 4 ? dot_tile<2, 4>(a, a_row, b, b_row, p.k, to)
                                     : dot_tile<2, 1>(a, a_row, b, b_row, p.k, to);
                    else
                        columns == 4 ? dot_tile<1, 4>(a, a_row, b, b_row, p.k, to)
                                     : dot_tile<1, 1>(a, a_row, b, b_row, p.k, to);
                    i += rows;
                    a += static_cast<std::ptrdiff_t>(rows) * a_row;
                }
                j += columns;
                b += static_cast<std::ptrdiff_t>(columns) * b_row;
            }
            matrix_view<T> c = p.c;
            c.data +=
                static_cast<std::ptrdiff_t>(i0) * c.row_stride + static_cast<std::ptrdiff_t>(j0) * c.column_stride;
            finish({&p, c, i0, j0, m, n, p.accumulate}, {sums, static_cast<std::ptrdiff_t>(dot_chunk), 1});
        }
}

}  // namespace tenet::kernel::detail
