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
            for (std::size_t j = 0; j < whole; j += width) batch::load_unaligned(b + j).store_unaligned(to + j);
            if (whole < columns) simd::load_partial<T>(b + whole, columns - whole).store_unaligned(to + whole);
        }
        return;
    }
    std::size_t done = 0;
    if (step == 1) {
        done = k / width * width;
        for (std::size_t j = 0; j < padded; j += width)
            for (std::size_t i = 0; i < done; i += width)
                transpose_block(b + static_cast<std::ptrdiff_t>(j) * column + i, column, std::min(width, columns - j),
                                to + i * padded + j, static_cast<std::ptrdiff_t>(padded));
    }
    for (std::size_t i = done; i < k; ++i) {
        T const* const from = b + static_cast<std::ptrdiff_t>(i) * step;
        for (std::size_t j = 0; j < columns; ++j) to[i * padded + j] = from[static_cast<std::ptrdiff_t>(j) * column];
        for (std::size_t j = columns; j < padded; ++j) to[i * padded + j] = T{0};
    }
}

/// Copies a row of Registers whole registers.
template <class T, std::size_t Registers>
TENET_INLINE void copy_registers(T const* from, T* to) {
    constexpr std::size_t width = simd::width<T>;
    TENET_UNROLL
    for (std::size_t j = 0; j < Registers; ++j)
        simd::batch<T>::load_unaligned(from + j * width).store_unaligned(to + j * width);
}

/// Packs a block of b with contiguous rows into panels, each row from end to end: memory likes long runs.
template <class T>
[[gnu::noinline]] void pack_rows(T const* b, std::ptrdiff_t step, std::size_t k, std::size_t columns, T* to) {
    constexpr std::size_t width = simd::width<T>, most = tile_registers<T>, tile = most * width;
    // Panels as panel_registers cuts them: as many whole tiles as leave no single register behind, then the rest.
    std::size_t tiles = 0, left = (columns + width - 1) / width;
    for (; panel_registers<T>(left) == most && tiles < columns / tile; left -= most) ++tiles;
    T const* from = b;
    T* row = to;
    for (std::size_t i = 0; i < k; ++i, from += step, row += tile)
        for (std::size_t t = 0; t < tiles; ++t) copy_registers<T, most>(from + t * tile, row + t * tile * k);
    std::size_t done = tiles * tile;
    while (done < columns) {
        const std::size_t registers = panel_registers<T>(left), padded = registers * width;
        pack_panel(b + done, step, std::ptrdiff_t{1}, k, std::min(padded, columns - done), padded, to + done * k);
        done += padded;
        left -= registers;
    }
}

/// Packs `rows` rows of a, of strides (row, step), into tiles [k][tile_rows] one after another; the last may have
/// fewer rows and is then [k][its rows]. Reads along k outermost, so that whole cache lines of a transposed a are used.
template <class T>
[[gnu::noinline]] void pack_steps(T const* a, std::ptrdiff_t row, std::ptrdiff_t step, std::size_t rows, std::size_t k,
                                  T* to) {
    constexpr std::size_t tile = tile_rows<T>;
    const std::size_t whole = rows / tile * tile, rest = rows - whole;
    for (std::size_t s = 0; s < k; ++s, a += step) {
        if (row == 1) {
            for (std::size_t r = 0; r < whole; r += tile)
                __builtin_memcpy(to + r * k + s * tile, a + r, tile * sizeof(T));
            for (std::size_t r = 0; r < rest; ++r) to[whole * k + s * rest + r] = a[whole + r];
        } else {
            for (std::size_t r = 0; r < whole; r += tile)
                for (std::size_t i = 0; i < tile; ++i)
                    to[r * k + s * tile + i] = a[static_cast<std::ptrdiff_t>(r + i) * row];
            for (std::size_t r = 0; r < rest; ++r)
                to[whole * k + s * rest + r] = a[static_cast<std::ptrdiff_t>(whole + r) * row];
        }
    }
}

/// Copies rows of k contiguous elements, `row` apart, to rows `to_row` apart.
template <class T>
[[gnu::noinline]] void copy_rows(T const* a, std::ptrdiff_t row, std::size_t rows, std::size_t k, T* to,
                                 std::ptrdiff_t to_row) {
    for (std::size_t i = 0; i < rows; ++i, a += row, to += to_row) std::copy(a, a + k, to);
}

}  // namespace tenet::kernel::detail
