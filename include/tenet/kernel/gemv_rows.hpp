// SPDX-License-Identifier: MIT
// kernel: a vector times a matrix whose rows are the inputs, y = x W, as GPT-2's files have them. Memory is the limit:
// W is cut into runs of whole rows, which threads share out. A run is read as eight streams, an eighth of it each: a
// core gets more out of memory by several long streams than by one. The sums of a run stay in the L1 cache; runs are
// added in their order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/simd/batch.hpp>

namespace tenet::kernel::detail {

/// Rows that are read together, one of each stream, and the most runs and columns that they are shared out in.
inline constexpr std::size_t rows_together = 8, most_runs = 8, most_columns = 8192;

/// The bytes of a run that are worth a part of a loop.
inline constexpr std::size_t run_bytes = std::size_t{1} << 16;

/// Runs of `k` rows of `bytes` bytes: a function of the matrix alone, for it sets the order of additions.
constexpr std::size_t rows_of_run(std::size_t k, std::size_t bytes) {
    const std::size_t runs = std::clamp<std::size_t>(k * bytes / run_bytes, 1, most_runs);
    return round_up((k + runs - 1) / runs, rows_together);
}

/// Bytes that a stream is prefetched ahead of what is read of it.
inline constexpr std::size_t one_of_streams_ahead = 512;

/// A matrix of plain numbers, as `vector_times_rows` reads one: strips of `registers` registers, whose numbers may be
/// in any order that `columns_in_order` undoes.
template <class T>
struct plain_rows {
    using value_type = T;
    static constexpr std::size_t registers = 4, strip = registers * simd::width<T>, bytes = strip * sizeof(T);
    T const* data;
    std::size_t stride;  ///< in elements

    TENET_INLINE void const* address(std::size_t i, std::size_t j) const { return data + i * stride + j; }
    std::size_t bytes_of(std::size_t columns) const { return columns * sizeof(T); }
    /// sum += x * (numbers [j, j + strip) of row i)
    TENET_INLINE void add(simd::batch<T> (&sum)[registers], T x, std::size_t i, std::size_t j) const {
        const simd::batch<T> factor(x);
        T const* const from = data + i * stride + j;
        TENET_UNROLL
        for (std::size_t c = 0; c < registers; ++c)
            sum[c] = simd::fma<T>(simd::batch<T>::load_unaligned(from + c * simd::width<T>), factor, sum[c]);
    }
    /// The same of `n` numbers, fewer than a strip.
    void add_rest(T* y, T x, std::size_t i, std::size_t j, std::size_t n) const {
        T const* const from = data + i * stride + j;
        for (std::size_t c = 0; c < n; ++c) y[c] += x * from[c];
    }
    static void columns_in_order(T*, std::size_t) {}
};

/// y[j] += the sum of x[row] w[row, first + j] over `Rows` rows from i on, `apart` rows apart, in their order.
template <std::size_t Rows, class Matrix, class T>
[[gnu::flatten, gnu::noinline]] void add_some_rows(Matrix const& given, T const* x, std::size_t i, std::size_t apart,
                                                   std::size_t first, std::size_t n, T* y) {
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>;
    const Matrix w = given;  // a copy, which no store can change
    T factor[Rows];
    char const* ahead[Rows];
    for (std::size_t r = 0; r < Rows; ++r) {
        factor[r] = x[i + r * apart];
        void const* const from = w.address(i + r * apart, first);
        ahead[r] = static_cast<char const*>(from) + one_of_streams_ahead;
    }
    std::size_t j = 0;
    for (; j + Matrix::strip <= n; j += Matrix::strip) {
        TENET_UNROLL
        for (std::size_t r = 0; r < Rows; ++r) {
            TENET_UNROLL
            for (std::size_t b = 0; b < Matrix::bytes; b += 64) __builtin_prefetch(ahead[r] + b);
            ahead[r] += Matrix::bytes;
        }
        batch sum[Matrix::registers];
        TENET_UNROLL
        for (std::size_t c = 0; c < Matrix::registers; ++c) sum[c] = batch::load_unaligned(y + j + c * width);
        TENET_UNROLL
        for (std::size_t r = 0; r < Rows; ++r) w.add(sum, factor[r], i + r * apart, first + j);
        TENET_UNROLL
        for (std::size_t c = 0; c < Matrix::registers; ++c) sum[c].store_unaligned(y + j + c * width);
    }
    if (j < n)
        for (std::size_t r = 0; r < Rows; ++r) w.add_rest(y + j, factor[r], i + r * apart, first + j, n - j);
}

/// y[j] = the sum over i in [begin, end) of x[i] w[i, first + j], for n columns.
template <class Matrix, class T>
void sum_of_run(Matrix const& w, T const* x, std::size_t begin, std::size_t end, std::size_t first, std::size_t n,
                T* y) {
    std::fill(y, y + n, T{0});
    const std::size_t apart = (end - begin) / rows_together;
    for (std::size_t i = begin; i < begin + apart; ++i) add_some_rows<rows_together>(w, x, i, apart, first, n, y);
    for (std::size_t i = begin + rows_together * apart; i < end; ++i) add_some_rows<1>(w, x, i, 1, first, n, y);
}

/// y[j] = (accumulate ? y[j] : 0) + sum over i < k of x[i] w[i, j], for n columns.
template <class Matrix, class T>
[[gnu::noinline]] void vector_times_rows(Matrix const& w, T const* x, std::size_t k, std::size_t n, T* y,
                                         bool accumulate) {
    T* const sums = reinterpret_cast<T*>(workspace().b);
    static_assert(most_runs * most_columns * sizeof(T) <= b_bytes);
    for (std::size_t first = 0; first < n; first += most_columns) {
        const std::size_t columns = std::min(most_columns, n - first);
        const std::size_t rows = rows_of_run(k, w.bytes_of(columns)), runs = (k + rows - 1) / rows;
        parallel_for(runs, 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t r = begin; r < end; ++r)
                sum_of_run(w, x, r * rows, std::min(k, (r + 1) * rows), first, columns, sums + r * columns);
        });
        for (std::size_t r = 1; r < runs; ++r)
            for (std::size_t j = 0; j < columns; ++j) sums[j] += sums[r * columns + j];
        w.columns_in_order(sums, columns);
        T* const to = y + first;
        if (accumulate)
            for (std::size_t j = 0; j < columns; ++j) to[j] += sums[j];
        else std::copy_n(sums, columns, to);
    }
}

}  // namespace tenet::kernel::detail
