// SPDX-License-Identifier: MIT
// kernel: the register tile of matrix products. One function per tile shape serves every layout: a is broadcast from
// any strides, b is read as rows of whole registers with a run-time row stride (in place or packed), and the order of
// additions into an element of c depends only on k, so that any partition of c gives the same bits.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include <tenet/base/macros.hpp>
#include <tenet/simd/batch.hpp>

namespace tenet::kernel::detail {

/// Rows and registers of the largest tile: 8 x 3 accumulators where there are 32 registers, 6 x 2 where there are 16.
template <class T>
inline constexpr std::size_t tile_rows = sizeof(simd::batch<T>) == 64 ? 8 : 6;
template <class T>
inline constexpr std::size_t tile_registers = sizeof(simd::batch<T>) == 64 ? 3 : 2;
template <class T>
inline constexpr std::size_t tile_columns = tile_registers<T> * simd::width<T>;

/// What one call of a tile reads and writes; strides are in elements.
template <class T>
struct tile_arguments {
    T const* a;
    std::ptrdiff_t a_row, a_step;  ///< strides of a along the tile's rows and along k
    T const* b;
    std::ptrdiff_t b_step;  ///< stride of b along k; along columns it is 1
    T* c;
    std::ptrdiff_t c_row;
    std::size_t k;
    std::size_t tail;  ///< columns of the last register that exist in c; 0 for all of them
    bool accumulate;
    T const* next;  ///< memory that the caller reads next: one line of 64 bytes is prefetched every
    std::ptrdiff_t next_step, next_skip;  ///< four k, `next_step` apart, and `next_skip` further after every four lines
    bool next_far;                        ///< into the L2 cache only: L1 could not hold it
};

/// c (+)= the first `columns` columns of a finished tile whose rows are `from_row` apart.
template <class T>
[[gnu::noinline]] void merge_tile(T const* from, std::size_t from_row, T* c, std::ptrdiff_t c_row, std::size_t rows,
                                  std::size_t columns, bool accumulate) {
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>;
    for (std::size_t i = 0; i < rows; ++i, from += from_row, c += c_row) {
        std::size_t j = 0;
        for (; j + width <= columns; j += width) {
            batch x = batch::load_aligned(from + j);
            if (accumulate) x = batch::load_unaligned(c + j) + x;
            x.store_unaligned(c + j);
        }
        if (j == columns) continue;
        batch x = batch::load_aligned(from + j);
        if (accumulate) x = simd::load_partial<T>(c + j, columns - j) + x;
        simd::store_partial<T>(x, c + j, columns - j);
    }
}

/// c[i,j] (+)= sum over k of a[i,k] b[k,j] for Rows rows and Registers * width columns.
template <class T, std::size_t Rows, std::size_t Registers>
[[gnu::noinline]] void tile_product(tile_arguments<T> const& t) {
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>;
    batch sum[Rows][Registers];
    TENET_UNROLL
    for (std::size_t i = 0; i < Rows; ++i) {
        TENET_UNROLL
        for (std::size_t j = 0; j < Registers; ++j) sum[i][j] = batch(T{0});
    }
    T* const c = t.c;
    const std::ptrdiff_t c_row = t.c_row;
    // Strides in bytes: g++ compiles the loop a second time for strides of one element, to no avail.
    constexpr std::ptrdiff_t size = sizeof(T);
    const auto at = [](T const* p, std::ptrdiff_t bytes) {
        return reinterpret_cast<T const*>(reinterpret_cast<char const*>(p) + bytes);
    };
    T const *b = t.b, *next = t.next, *c_next = c;
    const std::ptrdiff_t a_row = t.a_row * size, a_step = t.a_step * size, b_step = t.b_step * size;
    // Three rows a pointer: x86 addresses p, p + stride, p + 2 stride. The empty statement hides from the compiler how
    // the pointers relate, for g++ would otherwise keep seven multiples of the stride, and spill.
    constexpr std::size_t groups = (Rows + 2) / 3;
    T const* group[groups];
    TENET_UNROLL
    for (std::size_t g = 0; g < groups; ++g) {
        group[g] = at(t.a, static_cast<std::ptrdiff_t>(3 * g) * a_row);
        asm("" : "+r"(group[g]));
    }
    std::size_t c_rows = t.k >= 128 ? Rows : 0;
    for (std::size_t k = t.k; k != 0; --k) {
        if (k % 4 == 0) {
            if (t.next_far) __builtin_prefetch(next, 0, 2);
            else __builtin_prefetch(next);
            next += t.next_step;
            if (k % 16 == 0) next += t.next_skip;
            if (c_rows != 0) {
                TENET_UNROLL
                for (std::size_t j = 0; j < Registers; ++j) __builtin_prefetch(c_next + j * width, 1);
                c_next += c_row;
                --c_rows;
            }
        }
        batch row[Registers];
        TENET_UNROLL
        for (std::size_t j = 0; j < Registers; ++j) row[j] = batch::load_unaligned(b + j * width);
        b = at(b, b_step);  // here, not below: g++ would read b again for every row rather than keep it in registers
        TENET_UNROLL
        for (std::size_t i = 0; i < Rows; ++i) {
            const batch x(*at(group[i / 3], static_cast<std::ptrdiff_t>(i % 3) * a_row));
            TENET_UNROLL
            for (std::size_t j = 0; j < Registers; ++j) sum[i][j] = simd::fma<T>(x, row[j], sum[i][j]);
        }
        TENET_UNROLL
        for (std::size_t g = 0; g < groups; ++g) group[g] = at(group[g], a_step);
    }
    if (t.tail != 0) {
        alignas(64) T buffer[Rows * Registers * width];
        TENET_UNROLL
        for (std::size_t i = 0; i < Rows; ++i) {
            TENET_UNROLL
            for (std::size_t j = 0; j < Registers; ++j) sum[i][j].store_aligned(buffer + (i * Registers + j) * width);
        }
        return merge_tile<T>(buffer, Registers * width, c, c_row, Rows, (Registers - 1) * width + t.tail, t.accumulate);
    }
    if (t.accumulate) {
        TENET_UNROLL
        for (std::size_t i = 0; i < Rows; ++i) {
            TENET_UNROLL
            for (std::size_t j = 0; j < Registers; ++j)
                sum[i][j] = batch::load_unaligned(c + static_cast<std::ptrdiff_t>(i) * c_row + j * width) + sum[i][j];
        }
    }
    TENET_UNROLL
    for (std::size_t i = 0; i < Rows; ++i) {
        TENET_UNROLL
        for (std::size_t j = 0; j < Registers; ++j)
            sum[i][j].store_unaligned(c + static_cast<std::ptrdiff_t>(i) * c_row + j * width);
    }
}

template <class T>
using tile_function = void (*)(tile_arguments<T> const&);

/// Every tile, by rows - 1 and registers - 1.
template <class T>
inline constexpr auto tile_table = []<std::size_t... Index>(std::index_sequence<Index...>) {
    constexpr std::size_t registers = tile_registers<T>;
    return std::array<tile_function<T>, sizeof...(Index)>{
        &tile_product<T, Index / registers + 1, Index % registers + 1>...};
}(std::make_index_sequence<tile_rows<T> * tile_registers<T>>{});

template <class T>
tile_function<T> find_tile(std::size_t rows, std::size_t registers) {
    return tile_table<T>[(rows - 1) * tile_registers<T> + registers - 1];
}

/// Registers of the panel that starts when `left` registers of columns are left: the largest, except that
/// one left-over register is avoided (4 is 2 + 2, not 3 + 1).
template <class T>
constexpr std::size_t panel_registers(std::size_t left) {
    constexpr std::size_t most = tile_registers<T>;
    if (most > 2 && left == most + 1) return most - 1;
    return left < most ? left : most;
}

}  // namespace tenet::kernel::detail
