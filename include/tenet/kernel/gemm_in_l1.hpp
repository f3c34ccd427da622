// SPDX-License-Identifier: MIT
// kernel: matrix products of operands that lie in the L1 cache, as those within a tile of attention: nothing is packed
// or prefetched, and the register tiles are for a k of 32 or 64, where how soon a tile starts and ends counts.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <utility>

#include <tenet/kernel/gemm_block.hpp>
#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/kernel/gemm_tile.hpp>
#include <tenet/simd/batch.hpp>

namespace tenet::kernel::detail {

/// The widest tile: with few rows, for its broadcasts serve more products each.
template <class T>
inline constexpr std::size_t l1_registers = sizeof(simd::batch<T>) == 64 ? 4 : 2;

/// Rows of a tile: sixteen accumulators keep two multipliers busy, eight hardly; a short k does not repay more.
template <class T>
constexpr std::size_t l1_rows(std::size_t registers, std::size_t k) {
    return registers == 4 || k < 64 || sizeof(simd::batch<T>) != 64 ? 4 : 8;
}

/// By registers - 1 and the logarithm of the rows. The widest has at most four rows: in the place of that of eight,
/// which is never asked for, is that of four.
template <class T>
inline constexpr auto l1_tiles = []<std::size_t... I>(std::index_sequence<I...>) {
    constexpr auto rows = [](std::size_t logarithm, std::size_t registers) {
        return std::min(std::size_t{1} << logarithm, l1_rows<T>(registers, 64));
    };
    return std::array<tile_function<T>, sizeof...(I)>{
        &tile_product<T, rows(I % 4, I / 4 + 1), I / 4 + 1, packing::in_l1>...};
}(std::make_index_sequence<4 * l1_registers<T>>{});

/// c[i,j] (+)= sum over k of a[i,k] b[k,j], the order of additions that of k; a: m x k of any strides, b: k x n and
/// c: m x n of contiguous rows.
template <class T>
void gemm_in_l1(std::size_t m, std::size_t n, std::size_t k, matrix_view<T const> a, matrix_view<T const> b,
                matrix_view<T> c, bool accumulate) {
    constexpr std::size_t width = simd::width<T>;
    if (n % width != 0) {
        const gemm_problem<T> p{m, n, k, a, b, c, accumulate, true};
        return gemm_block<T>(p).run();
    }
    tile_arguments<T> t{};
    t.a_row = a.row_stride;
    t.a_step = a.column_stride;
    t.b_step = b.row_stride;
    t.k = k;
    t.to.c = c;
    t.to.accumulate = accumulate;
    for (std::size_t j = 0, registers = 0; j < n; j += registers * width) {
        registers = std::min((n - j) / width, l1_registers<T>);
        const std::size_t most = l1_rows<T>(registers, k);
        t.b = b.data + j;
        for (std::size_t i = 0, rows = 0; i < m; i += rows) {
            rows = std::min(most, std::bit_floor(m - i));
            const auto row = static_cast<std::ptrdiff_t>(i);
            t.a = a.data + row * a.row_stride;
            t.to.c.data = c.data + row * c.row_stride + j;
            l1_tiles<T>[(registers - 1) * 4 + static_cast<std::size_t>(std::countr_zero(rows))](t);
        }
    }
}

}  // namespace tenet::kernel::detail
