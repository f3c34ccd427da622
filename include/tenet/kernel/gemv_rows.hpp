// SPDX-License-Identifier: MIT
// kernel: a vector times a matrix whose rows are the inputs, y = x W, as GPT-2's files have them. Memory is the limit:
// W is cut into runs of whole rows, which threads read from end to end, eight rows at a time, while a prefetch walks
// ahead through the addresses in order. The sums of a run stay in the L1 cache; runs are added in their order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/simd/batch.hpp>

namespace tenet::kernel::detail {

/// Rows that are read together, and the most runs and columns that they are shared out in.
inline constexpr std::size_t rows_together = 8, most_runs = 8, most_columns = 8192;

/// The bytes of a run that are worth a part of a loop.
inline constexpr std::size_t run_bytes = std::size_t{1} << 16;

/// Runs of `k` rows of `bytes` bytes: a function of the matrix alone, for it sets the order of additions.
constexpr std::size_t rows_of_run(std::size_t k, std::size_t bytes) {
    const std::size_t runs = std::clamp<std::size_t>(k * bytes / run_bytes, 1, most_runs);
    return round_up((k + runs - 1) / runs, rows_together);
}

/// Walks ahead of what is read, through `length` bytes of each row; rows begin `stride` bytes apart.
class row_prefetch {
public:
    /// `from` is the first byte that is read, `rows` how many rows are read at a time.
    row_prefetch(void const* from, std::size_t rows, std::size_t length, std::size_t stride)
        : at_(static_cast<char const*>(from) + rows * stride),
          left_(static_cast<std::ptrdiff_t>(length)),
          length_(left_),
          skip_(static_cast<std::ptrdiff_t>(stride) - left_) {
        at_ += margin;
        left_ -= margin;
        while (left_ <= 0) next_row();
    }
    template <std::size_t Bytes>
    TENET_INLINE void advance() {
        // Into the second cache: eight long rows do not fit into the first.
        TENET_UNROLL
        for (std::size_t i = 0; i < Bytes; i += 64) __builtin_prefetch(at_ + i, 0, 2);
        at_ += Bytes;
        left_ -= static_cast<std::ptrdiff_t>(Bytes);
        // Once: rows that do not follow one another are longer than this.
        if (left_ <= 0) next_row();
    }

private:
    static constexpr std::ptrdiff_t margin = 4096;
    char const* at_;
    std::ptrdiff_t left_, length_, skip_;

    TENET_INLINE void next_row() {
        at_ += skip_;
        left_ += length_;
    }
};

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

/// y[j] += the sum over the rows [i, i + Rows) of x[row] w[row, first + j], in their order.
template <std::size_t Rows, class Matrix, class T>
[[gnu::flatten, gnu::noinline]] void add_some_rows(Matrix const& given, T const* x, std::size_t i, std::size_t first,
                                                   std::size_t n, T* y, row_prefetch& ahead) {
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>;
    const Matrix w = given;  // copies, which no store can change
    row_prefetch walk = ahead;
    T factor[Rows];
    for (std::size_t r = 0; r < Rows; ++r) factor[r] = x[i + r];
    std::size_t j = 0;
    for (; j + Matrix::strip <= n; j += Matrix::strip) {
        walk.template advance<Rows * Matrix::bytes>();
        batch sum[Matrix::registers];
        TENET_UNROLL
        for (std::size_t c = 0; c < Matrix::registers; ++c) sum[c] = batch::load_unaligned(y + j + c * width);
        TENET_UNROLL
        for (std::size_t r = 0; r < Rows; ++r) w.add(sum, factor[r], i + r, first + j);
        TENET_UNROLL
        for (std::size_t c = 0; c < Matrix::registers; ++c) sum[c].store_unaligned(y + j + c * width);
    }
    if (j < n)
        for (std::size_t r = 0; r < Rows; ++r) w.add_rest(y + j, factor[r], i + r, first + j, n - j);
    ahead = walk;
}

/// y[j] = the sum over i in [begin, end) of x[i] w[i, first + j], for n columns.
template <class Matrix, class T>
void sum_of_run(Matrix const& w, T const* x, std::size_t begin, std::size_t end, std::size_t first, std::size_t n,
                T* y) {
    std::fill(y, y + n, T{0});
    row_prefetch ahead(w.address(begin, first), rows_together, w.bytes_of(n), w.bytes_of(w.stride));
    std::size_t i = begin;
    for (; i + rows_together <= end; i += rows_together) add_some_rows<rows_together>(w, x, i, first, n, y, ahead);
    for (; i < end; ++i) add_some_rows<1>(w, x, i, first, n, y, ahead);
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
