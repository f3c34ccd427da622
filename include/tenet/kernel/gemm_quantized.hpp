// SPDX-License-Identifier: MIT
// kernel: matrix products with a stored right operand, which never exists as a whole: a thread turns a panel of it, as
// much as half of the L2 cache holds, into numbers, multiplies with all rows of a, and goes on. The panels depend on
// the sizes alone, and their order of additions is that of gemm, so that bits are those of a product with numbers (but
// for a single row or column, which gemm adds up in another order).
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/kernel/gemm.hpp>
#include <tenet/kernel/gemm_run.hpp>
#include <tenet/kernel/gemv_quantized.hpp>
#include <tenet/kernel/gemv_quantized_rows.hpp>

namespace tenet::kernel {

/// A stored matrix as an operand: its element (i, j) is number `first + i * row_stride + j * column_stride` of the
/// stored one. Either stride should be 1.
struct stored_view {
    stored_matrix matrix;
    std::size_t first = 0;
    std::ptrdiff_t row_stride = 0, column_stride = 1;

    constexpr std::size_t at(std::size_t i, std::size_t j) const {
        return first + i * static_cast<std::size_t>(row_stride) + j * static_cast<std::size_t>(column_stride);
    }
    constexpr stored_view transposed() const { return {matrix, first, column_stride, row_stride}; }
};

namespace detail {

inline constexpr std::size_t panel_bytes = b_bytes / 2;

/// This thread's panel of numbers.
inline std::byte* panel_space() {
    struct buffer {
        alignas(64) std::byte bytes[panel_bytes];
    };
    static thread_local buffer space;
    return space.bytes;
}

/// Columns of a panel of `kc` rows: whole blocks of weights where they lie along the columns.
template <class T>
constexpr std::size_t panel_columns(std::size_t kc, std::size_t n) {
    const std::size_t most = panel_bytes / sizeof(T) / round_up(kc, 16) / weight_block * weight_block;
    // At least eight panels of a wide matrix, so that a few threads have enough to share.
    return std::min(std::max(most, weight_block), std::max(round_up(n / 8, weight_block), weight_block));
}

/// Asks for the codes of `count` numbers from `first` on. Runs of a panel lie apart, where the processor's own
/// prefetching does not follow. (Inlined by force: g++ drops calls of a function that does nothing else.)
TENET_INLINE void prefetch_codes(stored_matrix const& w, std::size_t first, std::size_t count) {
    const storage_layout& layout = w.layout;
    if (layout.columns == 0 || first >= layout.elements) return;
    const std::size_t bits = bits_of(layout.format), begin = first * bits / 8,
                      end = std::min(first + count, layout.elements) * bits / 8;
    for (std::size_t at = begin; at < end + 63; at += 64) __builtin_prefetch(w.record + at, 0, 2);
}

/// The numbers of rows [i, i + m) and columns [j, j + n) of `b`, contiguous along the direction that `b` is.
template <class T>
matrix_view<T const> read_panel(stored_view const& b, std::size_t i, std::size_t m, std::size_t j, std::size_t n) {
    constexpr std::size_t ahead = 16;  // runs
    T* const to = reinterpret_cast<T*>(panel_space());
    if (b.column_stride == 1) {
        for (std::size_t r = 0; r < m; ++r) {
            // After the last run come the first ones of the next panel.
            const std::size_t later = r + ahead;
            prefetch_codes(b.matrix, later < m ? b.at(i + later, j) : b.at(i + later - m, j + n), n);
            dequantize_run(b.matrix, b.at(i + r, j), n, to + r * n);
        }
        return {to, static_cast<std::ptrdiff_t>(n), 1};
    }
    for (std::size_t c = 0; c < n; ++c) {
        if (b.row_stride == 1) {
            prefetch_codes(b.matrix, b.at(i, j + c + ahead), m);
            dequantize_run(b.matrix, b.at(i, j + c), m, to + c * m);
        } else {
            for (std::size_t r = 0; r < m; ++r) dequantize_run(b.matrix, b.at(i + r, j + c), 1, to + c * m + r);
        }
    }
    return {to, 1, static_cast<std::ptrdiff_t>(m)};
}

/// Columns [j, j + n) of c.
template <class T>
[[gnu::noinline]] void multiply_panels(gemm_problem<T> const& whole, stored_view const& b, std::size_t j,
                                       std::size_t n) {
    const std::size_t block = block_of_k<T>(whole.k);
    for (std::size_t k0 = 0; k0 < whole.k; k0 += block) {
        const std::size_t kc = std::min(block, whole.k - k0);
        gemm_problem<T> p = whole;
        p.n = n;
        p.k = kc;
        p.a.data += static_cast<std::ptrdiff_t>(k0) * p.a.column_stride;
        p.b = read_panel<T>(b, k0, kc, j, n);
        p.c.data += static_cast<std::ptrdiff_t>(j) * p.c.column_stride;
        p.accumulate = whole.accumulate || k0 != 0;
        if (k0 + kc < whole.k) {
            // Partial sums are only scaled.
            p.finish.values = {};
            p.finish.values.scale = whole.finish.values.scale;
            if (p.finish.values.scale == T{1}) p.finish = {};
        } else if (p.finish.values.column_bias) {
            p.finish.values.column_bias += j;
        }
        // As `oriented`, but for a panel of one column: it is added up as the others are.
        const bool flip = p.c.column_stride != 1 && p.c.row_stride == 1;
        gemm_serial(flip ? kernel::detail::transposed(p) : p, gemm_path::blocks);
    }
}

template <class T>
[[gnu::noinline]] void gemm_quantized_run(gemm_problem<T> const& given, stored_view const& b, gemm_batch const& batch) {
    std::size_t entries = 1;
    gemm_batch others = batch;  // of a and c
    for (std::size_t d = 0; d < batch.rank; ++d) {
        entries *= batch.count[d];
        others.b[d] = 0;
    }
    if (given.m == 0 || given.n == 0 || entries == 0) return;
    if (given.k == 0) return gemm_run(given, others);
    if constexpr (std::is_same_v<T, float>) {
        // One row of a, and columns or rows of b behind one another: the generation of text.
        if (given.m == 1 && entries == 1 && given.a.column_stride == 1 && given.finish.values.scale == T{1}) {
            const bool columns = b.row_stride == 1 && b.column_stride == static_cast<std::ptrdiff_t>(given.k);
            const bool rows = b.column_stride == 1 && b.row_stride == static_cast<std::ptrdiff_t>(given.n) &&
                              given.c.column_stride == 1 && has_stored_rows(b.matrix, b.first, given.n);
            if (columns)
                gemv_quantized(b.matrix, b.first, given.n, given.k, given.a.data, given.c.data, given.c.column_stride,
                               given.accumulate);
            else if (rows)
                gemv_quantized_rows(b.matrix, b.first, given.n, given.k, given.a.data, given.c.data, given.accumulate);
            if (columns || rows) return finish_row(given);
        }
    }
    const std::size_t width = panel_columns<T>(block_of_k<T>(given.k), given.n);
    const std::size_t panels = (given.n + width - 1) / width;
    const std::size_t work = given.m * std::min(given.n, width) * given.k;
    const std::size_t grain = std::max(std::size_t{1}, parallel_threshold / 2 / std::max(work, std::size_t{1}));
    parallel_for(entries * panels, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t u = begin; u < end; ++u) {
            stored_view part = b;
            for (std::size_t d = batch.rank, index = u / panels; d-- > 0; index /= batch.count[d])
                part.first += index % batch.count[d] * static_cast<std::size_t>(batch.b[d]);
            const std::size_t j = u % panels * width;
            multiply_panels(entry_of(given, others, u / panels), part, j, std::min(width, given.n - j));
        }
    });
}

}  // namespace detail

/// c[i,j] = sum over k of a[i,k] b[k,j], or c[i,j] += ... if `accumulate`, where b is stored in fewer bits.
///
/// Sizes, strides and batches are as in `gemm`; `batch.b` counts numbers of b. b may lie either way round, so that the
/// forward product and the gradient of its input read the same bytes. Threads share out columns, never the sum.
/// Cost: the product of numbers, plus about 0.2 ns for each element of b: a few per cent from 256 rows of a on.
/// bitsandbytes: matmul_4bit, without an intermediate matrix.
template <class T>
void gemm_quantized(auto m, auto n, auto k, matrix_view<T const> a, stored_view const& b, matrix_view<T> c,
                    bool accumulate, gemm_batch const& batch = {}) {
    detail::gemm_quantized_run<T>({static_cast<std::size_t>(m),
                                   static_cast<std::size_t>(n),
                                   static_cast<std::size_t>(k),
                                   a,
                                   {nullptr, 0, 0},
                                   c,
                                   accumulate},
                                  b, batch);
}

/// The same with an epilogue, as of `gemm`.
template <class T>
void gemm_quantized(auto m, auto n, auto k, matrix_view<T const> a, stored_view const& b, matrix_view<T> c,
                    bool accumulate, epilogue<T> const& finish, gemm_batch const& batch = {}) {
    detail::gemm_problem<T> p{static_cast<std::size_t>(m),
                              static_cast<std::size_t>(n),
                              static_cast<std::size_t>(k),
                              a,
                              {nullptr, 0, 0},
                              c,
                              accumulate};
    if (!finish.empty())
        p.finish = {finish, c.data, &detail::finish_epilogue<T, true>, &detail::finish_epilogue<T, false>};
    detail::gemm_quantized_run<T>(p, b, batch);
}

}  // namespace tenet::kernel
