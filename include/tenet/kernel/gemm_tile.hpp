// SPDX-License-Identifier: MIT
// kernel: the register tile of matrix products. One function per tile shape serves every layout: a is broadcast from
// any strides, b is read as rows of whole registers with a run-time row stride (in place or packed), and the order of
// additions into an element of c depends only on k, so that any partition of c gives the same bits.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm_problem.hpp>
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
    std::size_t k;
    T const* next;  ///< memory that the caller reads next: one line of 64 bytes is prefetched every
    std::ptrdiff_t next_step, next_skip;  ///< four k, `next_step` apart, and `next_skip` further after every four lines
    bool next_far;                        ///< into the L2 cache only: L1 could not hold it
    T const* far;            ///< memory that is packed later: `far_count` lines from here are prefetched into L2,
    std::ptrdiff_t far_row;  ///< `far_lines` to a row, the first with `far_first`, and `far_row` bytes between rows
    std::size_t far_count, far_first, far_lines;
    T* copy_a;         ///< of tiles that pack: where a goes as [k][rows]
    T* copy_b;         ///< ... and b as [k][columns]
    T const* b_then;   ///< ... and the rows of b that are packed or read after these
    T const* also[2];  ///< what the epilogue reads or writes beside c, with c's strides
    std::size_t also_count;
    T const* bias;          ///< added to every row of sums that are just stored, unless null
    tile_finish<T> finish;  ///< brings the sums to c; null if whole registers of contiguous rows are just stored
    tile_results<T> to;
};

/// What a tile packs on its way: moving data between its multiplications costs nothing, before them a lot. Or that it
/// reads a b that lies in memory, once: processors do not foresee rows that are far apart.
/// Or that it prefetches what is packed later: on a processor with two multipliers the mere test costs all tiles 2 %.
/// Or that it prefetches nothing, for operands that are in the L1 cache.
enum class packing { none, a, b, both, far, b_ahead, in_l1 };

/// Steps of k by which a tile that packs b, or reads it from memory, prefetches it.
inline constexpr std::size_t pack_ahead = 24;

/// c[i,j] (+)= sum over k of a[i,k] b[k,j] for Rows rows and Registers * width columns.
template <class T, std::size_t Rows, std::size_t Registers, packing Packs = packing::none>
[[gnu::noinline]] void tile_product(tile_arguments<T> const& t) {
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>;
    constexpr bool packs_a = Packs == packing::a || Packs == packing::both;
    constexpr bool packs_b = Packs == packing::b || Packs == packing::both;
    constexpr bool prefetches_far = Packs == packing::far;
    constexpr bool prefetches_b = packs_b || Packs == packing::b_ahead;
    batch sum[Rows][Registers];
    TENET_UNROLL
    for (std::size_t i = 0; i < Rows; ++i) {
        TENET_UNROLL
        for (std::size_t j = 0; j < Registers; ++j) sum[i][j] = batch(T{0});
    }
    T* const c = t.to.c.data;
    const std::ptrdiff_t c_row = t.to.c.row_stride;
    // Strides in bytes: g++ compiles the loop a second time for strides of one element, to no avail.
    constexpr std::ptrdiff_t size = sizeof(T);
    const auto at = [](T const* p, std::ptrdiff_t bytes) {
        return reinterpret_cast<T const*>(reinterpret_cast<char const*>(p) + bytes);
    };
    T const *b = t.b, *next = t.next, *c_next = c;
    const std::ptrdiff_t a_row = t.a_row * size, a_step = t.a_step * size, b_step = t.b_step * size;
    [[maybe_unused]] T *copy_a = t.copy_a, *copy_b = t.copy_b;
    [[maybe_unused]] T const* ahead =
        prefetches_b && t.k > pack_ahead ? at(b, b_step * std::ptrdiff_t{pack_ahead}) : t.b_then;
    // Three rows a pointer: x86 addresses p, p + stride, p + 2 stride. The empty statement hides from the compiler how
    // the pointers relate, for g++ would otherwise keep seven multiples of the stride, and spill.
    constexpr std::size_t groups = (Rows + 2) / 3;
    T const* group[groups];
    TENET_UNROLL
    for (std::size_t g = 0; g < groups; ++g) {
        group[g] = at(t.a, static_cast<std::ptrdiff_t>(3 * g) * a_row);
        asm("" : "+r"(group[g]));
    }
    [[maybe_unused]] T const* far = t.far;
    [[maybe_unused]] std::size_t far_count = t.far_count, far_first = t.far_first;
    [[maybe_unused]] std::size_t c_rows = t.k >= 128 ? Rows : 0, also = t.also_count;
    for (std::size_t k = t.k; k != 0; --k) {
        if (Packs != packing::in_l1 && k % 4 == 0) {
            if (t.next_far) __builtin_prefetch(next, 0, 2);
            else __builtin_prefetch(next);
            next += t.next_step;
            if (k % 16 == 0) next += t.next_skip;
            if (c_rows != 0) {
                TENET_UNROLL
                for (std::size_t j = 0; j < Registers; ++j) __builtin_prefetch(c_next + j * width, 1);
                __builtin_prefetch(c_next + (Registers * width - 1), 1);
                c_next += c_row;
                if (--c_rows == 0 && also != 0) {
                    c_next = t.also[--also];
                    c_rows = Rows;
                }
            }
            if constexpr (prefetches_far) {
                if (far_count != 0) {
                    __builtin_prefetch(far, 0, 2);
                    far = at(far, 64);
                    if (--far_first == 0) {
                        far = at(far, t.far_row);
                        far_first = t.far_lines;
                    }
                    --far_count;
                }
            }
        }
        batch row[Registers];
        TENET_UNROLL
        for (std::size_t j = 0; j < Registers; ++j) row[j] = batch::load_unaligned(b + j * width);
        b = at(b, b_step);  // here, not below: g++ would read b again for every row rather than keep it in registers
        if constexpr (packs_b) {
            TENET_UNROLL
            for (std::size_t j = 0; j < Registers; ++j) row[j].store_aligned(copy_b + j * width);
            copy_b += Registers * width;
        }
        if constexpr (prefetches_b) {
            TENET_UNROLL
            for (std::size_t j = 0; j < Registers; ++j) __builtin_prefetch(ahead + j * width);
            __builtin_prefetch(ahead + (Registers * width - 1));
            ahead = k == pack_ahead + 1 ? t.b_then : at(ahead, b_step);
        }
        if constexpr (packs_a) {
            __builtin_memcpy(copy_a, group[0], Rows * sizeof(T));
            copy_a += Rows;
        }
        TENET_UNROLL
        for (std::size_t i = 0; i < Rows; ++i) {
            const batch x(*at(group[i / 3], static_cast<std::ptrdiff_t>(i % 3) * a_row));
            TENET_UNROLL
            for (std::size_t j = 0; j < Registers; ++j) sum[i][j] = simd::fma<T>(x, row[j], sum[i][j]);
        }
        TENET_UNROLL
        for (std::size_t g = 0; g < groups; ++g) {
            group[g] = at(group[g], a_step);
            asm("" : "+r"(group[g]));
        }
    }
    if (t.finish) {
        alignas(64) T buffer[Rows * Registers * width];
        TENET_UNROLL
        for (std::size_t i = 0; i < Rows; ++i) {
            TENET_UNROLL
            for (std::size_t j = 0; j < Registers; ++j) sum[i][j].store_aligned(buffer + (i * Registers + j) * width);
        }
        return t.finish(t.to, {buffer, Registers * width, 1});
    }
    if (t.bias) {
        TENET_UNROLL
        for (std::size_t j = 0; j < Registers; ++j) {
            const batch x = batch::load_unaligned(t.bias + j * width);
            TENET_UNROLL
            for (std::size_t i = 0; i < Rows; ++i) sum[i][j] = sum[i][j] + x;
        }
    }
    if (t.to.accumulate) {
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

/// The largest tile, packing or prefetching.
template <class T>
inline constexpr std::array<tile_function<T>, 5> packing_table{
    &tile_product<T, tile_rows<T>, tile_registers<T>, packing::none>,
    &tile_product<T, tile_rows<T>, tile_registers<T>, packing::a>,
    &tile_product<T, tile_rows<T>, tile_registers<T>, packing::b>,
    &tile_product<T, tile_rows<T>, tile_registers<T>, packing::both>,
    &tile_product<T, tile_rows<T>, tile_registers<T>, packing::far>};

/// The widest tiles that read b from memory, by rows - 1.
template <class T>
inline constexpr auto ahead_table = []<std::size_t... Row>(std::index_sequence<Row...>) {
    return std::array<tile_function<T>, sizeof...(Row)>{
        &tile_product<T, Row + 1, tile_registers<T>, packing::b_ahead>...};
}(std::make_index_sequence<tile_rows<T>>{});

/// The tile for what is to be done; those that pack are the largest.
template <class T>
tile_function<T> find_tile(packing packs, std::size_t rows, std::size_t registers) {
    if (packs == packing::none) return find_tile<T>(rows, registers);
    if (packs == packing::b_ahead) return ahead_table<T>[rows - 1];
    return packing_table<T>[static_cast<std::size_t>(packs)];
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
