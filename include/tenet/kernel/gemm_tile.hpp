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
    T const* a = t.a;
    T const* b = t.b;
    const std::ptrdiff_t a_row = t.a_row, a_step = t.a_step, b_step = t.b_step;
    T const* next = t.next;
    T const* c_next = c;
    std::size_t c_rows = t.k >= 128 ? Rows : 0, lines = 4;
    for (std::size_t left = t.k; left != 0;) {
        if (t.next_far) __builtin_prefetch(next, 0, 2);
        else __builtin_prefetch(next);
        next += t.next_step;
        if (--lines == 0) {
            next += t.next_skip;
            lines = 4;
        }
        if (c_rows != 0) {
            TENET_UNROLL
            for (std::size_t j = 0; j < Registers; ++j) __builtin_prefetch(c_next + j * width, 1);
            c_next += c_row;
            --c_rows;
        }
        std::size_t steps = left < 4 ? left : 4;
        left -= steps;
        do {
            batch row[Registers];
            TENET_UNROLL
            for (std::size_t j = 0; j < Registers; ++j) row[j] = batch::load_unaligned(b + j * width);
            b += b_step;  // here, not below: g++ would read b again for every row rather than keep it in registers
            TENET_UNROLL
            for (std::size_t i = 0; i < Rows; ++i) {
                const batch x(a[static_cast<std::ptrdiff_t>(i) * a_row]);
                TENET_UNROLL
                for (std::size_t j = 0; j < Registers; ++j) sum[i][j] = simd::fma<T>(x, row[j], sum[i][j]);
            }
            a += a_step;
        } while (--steps != 0);
    }
    TENET_UNROLL
    for (std::size_t i = 0; i < Rows; ++i) {
        T* const p = c + static_cast<std::ptrdiff_t>(i) * c_row;
        TENET_UNROLL
        for (std::size_t j = 0; j < Registers; ++j) {
            T* const q = p + j * width;
            if (j + 1 == Registers && t.tail != 0) {
                if (t.accumulate) sum[i][j] = simd::load_partial<T>(q, t.tail) + sum[i][j];
                simd::store_partial<T>(sum[i][j], q, t.tail);
            } else {
                if (t.accumulate) sum[i][j] = batch::load_unaligned(q) + sum[i][j];
                sum[i][j].store_unaligned(q);
            }
        }
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
