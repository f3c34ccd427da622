// SPDX-License-Identifier: MIT
// kernel: sums, maxima and minima along the middle of [pre, n, post]. The order of the additions depends on the sizes
// alone: threads share out results, or fixed chunks of rows that are added in order.
#pragma once

#include <algorithm>
#include <cstddef>

#include <tenet/kernel/argmax.hpp>
#include <tenet/kernel/row.hpp>
#include <tenet/parallel/ordered_reduce.hpp>

namespace tenet::kernel {

/// What a reduction keeps of the elements. NaN wins a maximum and a minimum, as in NumPy.
enum class reduction { sum, max, min };

namespace detail {

template <reduction R, class T>
struct operation_of : adding<T> {};
template <class T>
struct operation_of<reduction::max, T> : taking_max<T> {};
template <class T>
struct operation_of<reduction::min, T> : taking_min<T> {};

template <class T, class Op, class N>
[[gnu::flatten]] T fold_row(T const* x, N n) {
    return fold<T, Op>(n, [=](std::size_t i, auto t) { return load(x + i, t); });
}

// out[q] = op(out[q], x[0, q], ..., x[n - 1, q]) for `columns` columns that lie `stride` apart from row to row.
// Eight rows at a time: each is read front to back, and out, in the first cache, once for all of them.
template <class T, class Op>
[[gnu::flatten]] void fold_columns(T const* x, std::size_t n, std::size_t stride, std::size_t columns, T* out) {
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        T const* const row = x + i * stride;
        for_vectors<T>(columns, [=](std::size_t q, auto t) {
            const auto at = [=](std::size_t k) { return load(row + k * stride + q, t); };
            const batch<T> first = Op::apply(Op::apply(at(0), at(1)), Op::apply(at(2), at(3)));
            const batch<T> second = Op::apply(Op::apply(at(4), at(5)), Op::apply(at(6), at(7)));
            store<T>(Op::apply(load(out + q, t), Op::apply(first, second)), out + q, t);
        });
    }
    for (; i < n; ++i) {
        T const* const row = x + i * stride;
        for_vectors<T>(columns, [=](std::size_t q, auto t) {
            store<T>(Op::apply(load(out + q, t), load(row + q, t)), out + q, t);
        });
    }
}

// The same over many rows: 512 at a time into a buffer of their own, so that long sums stay accurate.
template <class T, class Op>
void fold_long_columns(T const* x, std::size_t n, std::size_t stride, std::size_t columns, T* out) {
    constexpr std::size_t rows = 512, tile = 512;
    if (n <= 2 * rows) return fold_columns<T, Op>(x, n, stride, columns, out);
    T sums[tile];
    for (std::size_t q = 0; q < columns; q += tile) {
        const std::size_t c = std::min(tile, columns - q);
        for (std::size_t i = 0; i < n; i += rows) {
            std::fill_n(sums, c, Op::identity);
            fold_columns<T, Op>(x + i * stride + q, std::min(rows, n - i), stride, c, sums);
            fold_columns<T, Op>(sums, 1, c, c, out + q);
        }
    }
}

inline constexpr std::size_t column_block = 64;       // columns that one task has at least
inline constexpr std::size_t few_columns = 512;       // fewer than these: the rows are shared out instead
inline constexpr std::size_t column_row_chunks = 16;  // into so many chunks

// Few columns, many rows: chunks of rows into a buffer each, added in order.
template <class T, class Op>
void reduce_few_columns(T const* x, T* out, std::size_t pre, std::size_t n, std::size_t post) {
    T partial[column_row_chunks * few_columns];
    const std::size_t results = pre * post, chunk = (n + column_row_chunks - 1) / column_row_chunks;
    std::fill_n(partial, column_row_chunks * results, Op::identity);
    parallel_for(pre * column_row_chunks, 1, [&](std::size_t first, std::size_t last) {
        for (std::size_t u = first; u < last; ++u) {
            const std::size_t p = u / column_row_chunks, c = u % column_row_chunks;
            const std::size_t begin = std::min(n, c * chunk), end = std::min(n, begin + chunk);
            fold_long_columns<T, Op>(x + (p * n + begin) * post, end - begin, post, post,
                                     partial + c * results + p * post);
        }
    });
    fold_columns<T, Op>(partial, column_row_chunks, results, results, out);
}

template <class T, class Op>
void reduce_columns(T const* x, T* out, std::size_t pre, std::size_t n, std::size_t post) {
    if (pre * post < few_columns && pre * n * post >= 2 * parallel_work && n >= 8 * column_row_chunks)
        return reduce_few_columns<T, Op>(x, out, pre, n, post);
    const std::size_t blocks = (post + column_block - 1) / column_block;
    const std::size_t grain = std::max<std::size_t>(1, parallel_work / std::max<std::size_t>(1, n * column_block));
    parallel_for(pre * blocks, grain, [&](std::size_t first, std::size_t last) {
        while (first < last) {
            const std::size_t p = first / blocks, end = std::min(last, (p + 1) * blocks);
            const std::size_t q = (first - p * blocks) * column_block, q_end = (end - p * blocks) * column_block;
            fold_long_columns<T, Op>(x + p * n * post + q, n, post, std::min(post, q_end) - q, out + p * post + q);
            first = end;
        }
    });
}

}  // namespace detail

/// out[p, q] = the sum (maximum, minimum) over i of x[p, i, q].
///
/// x: [pre, n, post], out: [pre, post], both contiguous; sizes are numbers or `constant<N>`. With `accumulate` the
/// result is joined to what `out` holds. Over nothing (n = 0) the sum is 0, the maximum -inf, the minimum inf.
/// Bitwise equal for any number of threads. PyTorch: x.sum(1), x.amax(1), x.amin(1).
template <reduction R, class T>
void reduce(T const* x, T* out, auto pre, auto n, auto post, bool accumulate = false) {
    using Op = detail::operation_of<R, T>;
    const std::size_t rows = pre, columns = post;
    const auto length = detail::row_length<T>(n);
    if constexpr (constant_or_zero<decltype(post)> != 1) {
        if (columns != 1) {
            if (!accumulate) std::fill_n(out, rows * columns, Op::identity);
            return detail::reduce_columns<T, Op>(x, out, rows, length, columns);
        }
    }
    const auto keep = [=](std::size_t p, T value) { out[p] = accumulate ? Op::apply(out[p], value) : value; };
    if (rows == 1) {
        const auto part = [=](std::size_t begin, std::size_t end) {
            return detail::fold_row<T, Op>(x + begin, end - begin);
        };
        keep(0, ordered_reduce(length, detail::parallel_work, Op::identity, part,
                               [](T a, T b) { return Op::apply(a, b); }));
        return;
    }
    detail::for_rows(rows, length, [=](std::size_t p) { keep(p, detail::fold_row<T, Op>(x + p * length, length)); });
}

}  // namespace tenet::kernel
