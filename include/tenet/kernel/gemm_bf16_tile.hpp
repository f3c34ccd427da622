// SPDX-License-Identifier: MIT
// kernel: the register tile of products of bfloat16 numbers: pairs along k of both operands, added up in float. It
// prefetches on its way what its caller packs next.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/kernel/gemm_tile.hpp>
#include <tenet/simd/bf16.hpp>

namespace tenet::kernel::detail {

/// Memory that is read next: lines of 64 bytes, `lines` to a row and `skip` bytes from the end of one row to the next.
struct line_stream {
    char const* at = nullptr;
    std::ptrdiff_t skip = 0;
    std::size_t lines = 1, left = 1, count = 0;

    /// The first `n` of what is left, which this no longer has.
    line_stream take(std::size_t n) {
        line_stream part = *this;
        part.count = std::min(n, count);
        count -= part.count;
        if (count == 0) return part;
        const std::size_t passed = lines - left + part.count, rows = passed / lines;
        at += static_cast<std::ptrdiff_t>(part.count) * 64 + static_cast<std::ptrdiff_t>(rows) * skip;
        left = lines - passed % lines;
        return part;
    }
    TENET_INLINE void prefetch_one() {
        __builtin_prefetch(at, 0, 2);  // into L2: L1 has no room
        at += 64;
        if (--left == 0) {
            at += skip;
            left = lines;
        }
        --count;
    }
};

/// The lines of a rectangle of a matrix whose elements lie behind one another along one of its sides.
template <class S>
line_stream lines_of(matrix_view<S const> v, std::size_t rows, std::size_t columns) {
    if (v.column_stride != 1) {
        std::swap(v.row_stride, v.column_stride);
        std::swap(rows, columns);
    }
    if (v.column_stride != 1 || rows == 0 || columns == 0) return {};
    line_stream s;
    s.at = reinterpret_cast<char const*>(v.data);
    s.lines = s.left = (columns * sizeof(S) + 63) / 64;
    s.skip = v.row_stride * static_cast<std::ptrdiff_t>(sizeof(S)) - static_cast<std::ptrdiff_t>(s.lines * 64);
    s.count = s.lines * rows;
    return s;
}

/// What one call of a tile reads and writes; pairs are of two steps of k.
struct bf16_tile_arguments {
    std::uint32_t const* a;  ///< pairs; strides of its rows and of steps of two k
    std::ptrdiff_t a_row, a_step;
    std::uint32_t const* b;
    std::ptrdiff_t b_step;  ///< pairs between its rows, which are contiguous
    std::size_t steps;
    line_stream near, far;  ///< prefetched on the way: a line a step, and one every four steps
    char const* results;    ///< prefetched too: where the rows of the tile will be written, in bytes
    std::ptrdiff_t results_row;
    tile_finish<float> finish;  ///< null if whole registers of contiguous rows are just stored
    tile_results<float> to;
};

/// c[i,j] (+)= sum over k of a[i,k] b[k,j] for Rows rows and Registers * width columns.
template <std::size_t Rows, std::size_t Registers>
[[gnu::noinline]] void bf16_tile(bf16_tile_arguments const& t) {
    using batch = simd::batch<float>;
    constexpr std::size_t width = simd::width<float>;
    batch sum[Rows * Registers];
    TENET_UNROLL
    for (std::size_t i = 0; i < Rows * Registers; ++i) sum[i] = batch(0.0f);
    constexpr std::size_t groups = (Rows + 2) / 3;
    std::uint32_t const* group[groups];
    std::ptrdiff_t a_row = t.a_row, a_step = t.a_step;
    const std::ptrdiff_t b_step = t.b_step;
    asm("" : "+r"(a_row), "+r"(a_step));  // or g++ compiles the loop again for strides of one
    TENET_UNROLL
    for (std::size_t g = 0; g < groups; ++g) {
        group[g] = t.a + static_cast<std::ptrdiff_t>(3 * g) * a_row;
        asm("" : "+r"(group[g]));
    }
    std::uint32_t const* b = t.b;
    char const* c_next = t.results;
    std::size_t c_rows = t.steps >= 4 * Rows ? Rows : 0;
    line_stream near = t.near, far = t.far;
    for (std::size_t step = t.steps; step != 0; --step) {
        if (near.count != 0) near.prefetch_one();
        if (step % 4 == 1 && far.count != 0) far.prefetch_one();
        if (c_rows != 0 && step % 4 == 0) {
            TENET_UNROLL
            for (std::size_t j = 0; j < Registers; ++j) __builtin_prefetch(c_next + j * width * sizeof(float), 1);
            c_next += t.results_row;
            --c_rows;
        }
        simd::bf16_pairs row[Registers];
        TENET_UNROLL
        for (std::size_t j = 0; j < Registers; ++j) std::memcpy(&row[j], b + j * width, sizeof row[j]);
        b += b_step;
        TENET_UNROLL
        for (std::size_t i = 0; i < Rows; ++i) {
            const simd::bf16_pairs x = simd::bf16_pairs{} + group[i / 3][static_cast<std::ptrdiff_t>(i % 3) * a_row];
            TENET_UNROLL
            for (std::size_t j = 0; j < Registers; ++j)
                sum[i * Registers + j] = simd::dot_pairs(x, row[j], sum[i * Registers + j]);
        }
        TENET_UNROLL
        for (std::size_t g = 0; g < groups; ++g) group[g] += a_step;
    }
    if (t.finish) {
        alignas(64) float buffer[Rows * Registers * width];
        TENET_UNROLL
        for (std::size_t i = 0; i < Rows * Registers; ++i) sum[i].store_aligned(buffer + i * width);
        return t.finish(t.to, {buffer, Registers * width, 1});
    }
    TENET_UNROLL
    for (std::size_t i = 0; i < Rows; ++i) {
        TENET_UNROLL
        for (std::size_t j = 0; j < Registers; ++j) {
            float* const to = t.to.c.data + static_cast<std::ptrdiff_t>(i) * t.to.c.row_stride + j * width;
            const batch x = sum[i * Registers + j];
            (t.to.accumulate ? batch::load_unaligned(to) + x : x).store_unaligned(to);
        }
    }
}

inline constexpr std::size_t bf16_rows = tile_rows<float>, bf16_registers = tile_registers<float>;

/// Every tile, by rows - 1 and registers - 1.
inline constexpr auto bf16_tile_table = []<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::array{&bf16_tile<Index / bf16_registers + 1, Index % bf16_registers + 1>...};
}(std::make_index_sequence<bf16_rows * bf16_registers>{});

inline auto find_bf16_tile(std::size_t rows, std::size_t registers) {
    return bf16_tile_table[(rows - 1) * bf16_registers + registers - 1];
}

}  // namespace tenet::kernel::detail
