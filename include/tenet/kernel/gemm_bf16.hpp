// SPDX-License-Identifier: MIT
// kernel: matrix products of bfloat16 numbers, added up in float. Both operands are packed as pairs along k, floats
// being rounded on the way, so that every layout and both types meet in one register tile. At twice the rate of float
// products memory is the limit: tiles prefetch the rows of a and the block of b that are packed next.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include <tenet/base/exception.hpp>
#include <tenet/kernel/gemm.hpp>
#include <tenet/kernel/gemm_bf16_blocks.hpp>
#include <tenet/kernel/gemm_bf16_pack.hpp>
#include <tenet/kernel/gemm_bf16_problem.hpp>
#include <tenet/kernel/gemm_bf16_tile.hpp>
#include <tenet/kernel/gemm_finish.hpp>
#include <tenet/kernel/gemm_run.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/simd/bf16.hpp>

namespace tenet::kernel {
namespace detail {

/// Rows [i0, i0 + m) and columns [j0, j0 + n) of c, on this thread.
template <class A, class B, class C>
[[gnu::noinline]] void bf16_block(bf16_problem<C> const& p, matrix_view<A const> a, matrix_view<B const> b,
                                  std::size_t i0, std::size_t m, std::size_t j0, std::size_t n) {
    constexpr std::size_t width = simd::width<float>, tile = bf16_rows, panel = bf16_registers * width;
    auto* const packed_b = reinterpret_cast<std::uint32_t*>(workspace().b);
    auto* const packed_a = reinterpret_cast<std::uint32_t*>(workspace().a);
    const bool contiguous = p.c.column_stride == 1, finishes = p.finish.contiguous != nullptr;
    gemm_problem<float> partial = p;  // for the blocks of k before the last: without what must happen once
    partial.finish.values = {};
    partial.finish.values.scale = p.finish.values.scale;
    const std::size_t kc = p.k <= bf16_most_uncut_k ? std::max(std::size_t{1}, p.k) : even_part(p.k, bf16_most_k, 32);
    const std::size_t nc = even_part(n, b_bytes / sizeof(std::uint32_t) / ((kc + 1) / 2) / panel * panel, panel);
    for (std::size_t j = 0; j < n; j += nc)
        for (std::size_t k = 0; k == 0 || k < p.k; k += kc) {
            const std::size_t columns = std::min(nc, n - j), depth = std::min(kc, p.k - k), steps = (depth + 1) / 2;
            const bool last = k + depth == p.k, accumulate = p.accumulate || k != 0;
            const std::size_t panels = (columns + panel - 1) / panel, row_panels = (m + tile - 1) / tile;
            line_stream next_b;
            if (!last) next_b = lines_of(at(b, k + depth, j0 + j), std::min(kc, p.k - k - depth), columns);
            else if (j + columns < n) next_b = lines_of(at(b, 0, j0 + j + columns), kc, std::min(nc, n - j - columns));
            const std::size_t far_share = std::min(steps / 4, next_b.count / (panels * row_panels) + 1);
            for (std::size_t i = 0; i < m; i += tile) {
                const std::size_t rows = std::min(tile, m - i);
                bf16_tile_arguments t{};
                const pair_strides strides = pack_a_pairs(at(a, i0 + i, k), rows, depth, packed_a);
                t.a = packed_a;
                t.a_row = strides.row;
                t.a_step = strides.step;
                t.steps = steps;
                line_stream next_a;
                if (i + rows < m) next_a = lines_of(at(a, i0 + i + rows, k), std::min(tile, m - i - rows), depth);
                for (std::size_t q = 0; q < columns;) {
                    const std::size_t left = columns - q;
                    const std::size_t registers = panel_registers<float>((left + width - 1) / width);
                    const std::size_t here = std::min(left, registers * width);
                    if (i == 0)
                        pack_b_pairs(at(b, k, j0 + j + q), depth, here, registers * width, packed_b + q * steps);
                    t.b = packed_b + q * steps;
                    t.b_step = static_cast<std::ptrdiff_t>(registers * width);
                    t.near = next_a.take(steps);
                    t.far = next_b.take(far_share);
                    matrix_view<float> c = p.c;
                    if constexpr (std::is_same_v<C, float>) {
                        c.data += static_cast<std::ptrdiff_t>(i0 + i) * c.row_stride +
                                  static_cast<std::ptrdiff_t>(j0 + j + q) * c.column_stride;
                        t.results = reinterpret_cast<char const*>(c.data);
                    } else {
                        t.results = reinterpret_cast<char const*>(p.rounded + p.offset(i0 + i, j0 + j + q));
                    }
                    t.results_row = c.row_stride * static_cast<std::ptrdiff_t>(sizeof(C));
                    t.to = {last ? &p : &partial, c, i0 + i, j0 + j + q, rows, here, accumulate};
                    if (finishes) t.finish = contiguous ? p.finish.contiguous : p.finish.strided;
                    else if (!contiguous) t.finish = &finish_plain<float, false>;
                    else t.finish = here == registers * width ? nullptr : &finish_plain<float, true>;
                    find_bf16_tile(rows, registers)(t);
                    q += registers * width;
                }
            }
        }
}

/// How a product lies: what is not of type float in a problem, and the outer loops.
template <class A, class B>
struct bf16_operands {
    matrix_view<A const> a;
    matrix_view<B const> b;
    gemm_batch batch;
};

template <class A, class B, class C>
[[gnu::noinline]] void bf16_product(bf16_problem<C> const& p, bf16_operands<A, B> const& x) {
    std::size_t entries = 1;
    for (std::size_t d = 0; d < x.batch.rank; ++d) entries *= x.batch.count[d];
    if (p.m == 0 || p.n == 0 || entries == 0) return;
    if constexpr (std::is_same_v<C, float>)
        if (p.k == 0) return gemm_run<float>(p, x.batch);
    if (p.c.column_stride != 1 && p.c.row_stride == 1) {
        bf16_operands<B, A> flipped{
            {x.b.data, x.b.column_stride, x.b.row_stride}, {x.a.data, x.a.column_stride, x.a.row_stride}, x.batch};
        std::swap(flipped.batch.a, flipped.batch.b);
        bf16_problem<C> t = p;
        static_cast<gemm_problem<float>&>(t) = transposed<float>(p);
        return bf16_product<B, A, C>(t, flipped);
    }
    const bool by_columns = p.n >= p.m, by_tiles = bf16_by_tiles(p.m, p.n, p.k);
    const std::size_t unit = by_tiles     ? block_side
                             : by_columns ? simd::width<float>
                                          : bf16_rows,
                      all = by_columns ? p.n : p.m;
    const std::size_t work = std::max(std::size_t{1}, p.m * p.n * p.k);
    // Many entries are shared out whole, few in parts.
    std::size_t threads = work * entries < 2 * parallel_threshold ? 1 : thread_count();
    const std::size_t grain = std::max(std::size_t{1}, parallel_threshold / work);
    if (entries >= 4 * threads) threads = 1;
    const std::size_t size = round_up((all + threads - 1) / threads, unit), parts = (all + size - 1) / size;
    parallel_for(entries * parts, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t u = begin; u < end; ++u) {
            bf16_problem<C> q = p;
            matrix_view<A const> a = x.a;
            matrix_view<B const> b = x.b;
            std::size_t index = u / parts;
            for (std::size_t d = x.batch.rank; d-- > 0; index /= x.batch.count[d]) {
                const auto i = static_cast<std::ptrdiff_t>(index % x.batch.count[d]);
                a.data += i * x.batch.a[d];
                b.data += i * x.batch.b[d];
                q.move(i * x.batch.c[d]);
            }
            const std::size_t first = u % parts * size, count = std::min(size, all - first);
            const std::size_t i0 = by_columns ? 0 : first, rows = by_columns ? q.m : count, j0 = by_columns ? first : 0,
                              columns = by_columns ? count : q.n;
#if TENET_HAS_TILES
            if (by_tiles) {
                bf16_tiles_block<A, B, C>(q, a, b, i0, rows, j0, columns);
                continue;
            }
#endif
            bf16_block<A, B, C>(q, a, b, i0, rows, j0, columns);
        }
    });
}

}  // namespace detail

/// Matrix product of bfloat16 numbers: c[i,j] = sum over k of a[i,k] b[k,j], or c[i,j] += ... if `accumulate`.
///
/// `a` is m x k, `b` is k x n, each of `bfloat16` or of float, which is rounded to bfloat16 first; `c` is m x n, float.
/// Products are exact and are added up in float, two at a time: the result differs from the product of the rounded
/// operands in float by rounding alone, and from machine to machine by that of one addition in two. Strides, threads,
/// epilogues and batches are as in `gemm`; bits do not depend on the number of threads. Cost: a quarter of `gemm` or
/// less where the processor has tiles (AMX_BF16), about half where it has AVX512_BF16 at the rate of AMD's, about that
/// of `gemm` or more elsewhere. PyTorch: torch.matmul under torch.autocast("cpu", torch.bfloat16), with a float result.
template <class A, class B>
void gemm_bf16(auto m, auto n, auto k, matrix_view<A const> a, matrix_view<B const> b, matrix_view<float> c,
               bool accumulate, epilogue<float> const& finish = {}, gemm_batch const& batch = {}) {
    detail::bf16_problem<float> p{{static_cast<std::size_t>(m),
                                   static_cast<std::size_t>(n),
                                   static_cast<std::size_t>(k),
                                   {nullptr, 0, 0},
                                   {nullptr, 0, 0},
                                   c,
                                   accumulate}};
    if (!finish.empty())
        p.finish = {finish, c.data, &detail::finish_epilogue<float, true>, &detail::finish_epilogue<float, false>};
    detail::bf16_product<A, B, float>(p, {a, b, batch});
}

/// The longest k of a product with a rounded result.
inline constexpr std::size_t gemm_bf16_most_rounded_k = detail::bf16_most_uncut_k;

/// The same with a result of bfloat16: sums and the epilogue are float's, and are rounded once, so that these are the
/// bits of the float result, rounded. Residual and kept values of the epilogue are float, of the strides of c.
/// Errors: `exception` if k is longer than `gemm_bf16_most_rounded_k`, or neither rows nor columns of c are contiguous.
template <class A, class B>
void gemm_bf16(auto m, auto n, auto k, matrix_view<A const> a, matrix_view<B const> b, matrix_view<bfloat16> c,
               epilogue<float> const& finish = {}, gemm_batch const& batch = {}) {
    const auto length = static_cast<std::size_t>(k);
    if (length > gemm_bf16_most_rounded_k)
        fail_expectation("gemm_bf16 with a result of bfloat16",
                         "a k of at most " + std::to_string(gemm_bf16_most_rounded_k), std::to_string(length));
    if (c.row_stride != 1 && c.column_stride != 1)
        fail_expectation("gemm_bf16 with a result of bfloat16", "contiguous rows or columns of c",
                         "strides of " + std::to_string(c.row_stride) + " and " + std::to_string(c.column_stride));
    detail::bf16_problem<bfloat16> p{{static_cast<std::size_t>(m),
                                      static_cast<std::size_t>(n),
                                      length,
                                      {nullptr, 0, 0},
                                      {nullptr, 0, 0},
                                      {nullptr, c.row_stride, c.column_stride},
                                      false},
                                     c.data};
    p.finish.values = finish;
    p.finish.contiguous = finish.empty() ? &detail::round_sums : &detail::finish_rounded;
    detail::bf16_operands<A, B> operands{a, b, batch};
    if (length == 0) {  // which may have no memory to point into
        operands.a = {a.data, 0, 0};
        operands.b = {b.data, 0, 0};
        std::fill_n(operands.batch.a, batch.rank, 0);
        std::fill_n(operands.batch.b, batch.rank, 0);
    }
    detail::bf16_product<A, B, bfloat16>(p, operands);
}

}  // namespace tenet::kernel
