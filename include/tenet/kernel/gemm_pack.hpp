// SPDX-License-Identifier: MIT
// kernel: packed copies of the operands of a matrix product. b becomes panels [k][columns of one tile], padded with
// zeros to whole registers; a becomes [k][rows of one tile], or plain copies of its rows where only its stride hurts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm_tile.hpp>
#include <tenet/simd/batch.hpp>

namespace tenet::kernel::detail {

/// Interleaves the lower or upper halves of two registers over their whole length (x0 y0 x1 y1 ...).
template <bool Upper, class T>
TENET_INLINE simd::batch<T> interleave(simd::batch<T> const& x, simd::batch<T> const& y) {
    constexpr int width = static_cast<int>(simd::width<T>);
    return [&]<int... Lane>(std::integer_sequence<int, Lane...>) {
        return simd::batch<T>(__builtin_shufflevector(
            x.data, y.data, (Lane / 2 + (Upper ? width / 2 : 0) + (Lane % 2 != 0 ? width : 0))...));
    }(std::make_integer_sequence<int, width>{});
}

/// Transposes a square of `width` registers: one perfect shuffle of the register list for each bit of the lane number.
template <class T>
TENET_INLINE void transpose_square(simd::batch<T> (&x)[simd::width<T>]) {
    constexpr std::size_t width = simd::width<T>;
    simd::batch<T> y[width];
    TENET_UNROLL
    for (std::size_t bit = 1; bit < width; bit *= 2) {
        TENET_UNROLL
        for (std::size_t i = 0; i < width / 2; ++i) {
            y[2 * i] = interleave<false, T>(x[i], x[i + width / 2]);
            y[2 * i + 1] = interleave<true, T>(x[i], x[i + width / 2]);
        }
        TENET_UNROLL
        for (std::size_t i = 0; i < width; ++i) x[i] = y[i];
    }
}

/// to[i * to_row + j] = from[j * from_row + i] for i < width and j < columns (columns <= width; others are zero).
template <class T>
[[gnu::noinline]] void transpose_block(T const* from, std::ptrdiff_t from_row, std::size_t columns, T* to,
                                       std::ptrdiff_t to_row) {
    constexpr std::size_t width = simd::width<T>;
    simd::batch<T> x[width];
    if (columns == width) {
        TENET_UNROLL
        for (std::size_t j = 0; j < width; ++j)
            x[j] = simd::batch<T>::load_unaligned(from + static_cast<std::ptrdiff_t>(j) * from_row);
    } else {
        TENET_UNROLL
        for (std::size_t j = 0; j < width; ++j)
            x[j] = j < columns ? simd::batch<T>::load_unaligned(from + static_cast<std::ptrdiff_t>(j) * from_row)
                               : simd::batch<T>(T{0});
    }
    transpose_square<T>(x);
    TENET_UNROLL
    for (std::size_t i = 0; i < width; ++i) x[i].store_unaligned(to + static_cast<std::ptrdiff_t>(i) * to_row);
}

/// Packs b[0..k, 0..columns) of strides (step, column) into to[k][padded]; padded is a multiple of width.
template <class T>
[[gnu::noinline]] void pack_panel(T const* b, std::ptrdiff_t step, std::ptrdiff_t column, std::size_t k,
                                  std::size_t columns, std::size_t padded, T* to) {
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>;
    const std::size_t whole = columns / width * width;
    if (column == 1) {
        for (std::size_t i = 0; i < k; ++i, b += step, to += padded) {
            __builtin_prefetch(b + static_cast<std::ptrdiff_t>(16) * step);
            for (std::size_t j = 0; j < whole; j += width) batch::load_unaligned(b + j).store_unaligned(to + j);
            if (whole < columns) simd::load_partial<T>(b + whole, columns - whole).store_unaligned(to + whole);
        }
        return;
    }
    std::size_t done = 0;
    if (step == 1) {
        done = k / width * width;
        constexpr std::size_t ahead = 256 / sizeof(T);  // four lines: too many streams for the machine to see
        for (std::size_t j = 0; j < padded; j += width) {
            T const* const rows = b + static_cast<std::ptrdiff_t>(j) * column;
            for (std::size_t i = 0; i < done; i += width) {
                T const* const then = i + ahead < done ? rows + i + ahead
                                                       : rows + static_cast<std::ptrdiff_t>(width) * column +
                                                             (i + ahead < done + width ? 0 : i + ahead - done);
                for (std::size_t r = 0; r < width; ++r)
                    __builtin_prefetch(then + static_cast<std::ptrdiff_t>(r) * column);
                transpose_block(rows + i, column, std::min(width, columns - j), to + i * padded + j,
                                static_cast<std::ptrdiff_t>(padded));
            }
        }
    }
    for (std::size_t i = done; i < k; ++i) {
        T const* const from = b + static_cast<std::ptrdiff_t>(i) * step;
        for (std::size_t j = 0; j < columns; ++j) to[i * padded + j] = from[static_cast<std::ptrdiff_t>(j) * column];
        for (std::size_t j = columns; j < padded; ++j) to[i * padded + j] = T{0};
    }
}

/// Packs `rows` rows of a, of strides (row, step), as [k][rows].
template <class T>
[[gnu::noinline]] void pack_steps(T const* a, std::ptrdiff_t row, std::ptrdiff_t step, std::size_t rows, std::size_t k,
                                  T* to) {
    if (row == 1 && rows == tile_rows<T>) {
        for (std::size_t s = 0; s < k; ++s, a += step, to += tile_rows<T>)
            __builtin_memcpy(to, a, tile_rows<T> * sizeof(T));
        return;
    }
    for (std::size_t s = 0; s < k; ++s, a += step, to += rows)
        for (std::size_t r = 0; r < rows; ++r) to[r] = a[static_cast<std::ptrdiff_t>(r) * row];
}

/// Copies rows of k contiguous elements, `row` apart, to rows `to_row` apart.
template <class T>
[[gnu::noinline]] void copy_rows(T const* a, std::ptrdiff_t row, std::size_t rows, std::size_t k, T* to,
                                 std::ptrdiff_t to_row) {
    for (std::size_t i = 0; i < rows; ++i, a += row, to += to_row) std::copy(a, a + k, to);
}

}  // namespace tenet::kernel::detail
