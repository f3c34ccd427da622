// SPDX-License-Identifier: MIT
// kernel: softmax, log-softmax and their like along the middle of [pre, n, post], rows or registers of columns shared
// out among threads.
#pragma once

#include <cstddef>

#include <tenet/kernel/row.hpp>
#include <tenet/kernel/softmax_rows.hpp>

namespace tenet::kernel {

namespace detail {

/// row(offset, p, n) for each row of [pre, n, post] if post is 1, column(offset, result, n, post, whole or part) for
/// each register of columns otherwise, `result` being its place in [pre, post]; in parallel.
template <class T, class Pre, class N, class Post, class Row, class Column>
void for_rows_or_columns(Pre pre, N n, Post post, Row const& row, Column const& column) {
    const auto length = row_length<T>(n);
    const std::size_t columns = post;
    if (columns == 1) {
        for_rows(pre, length, [&](std::size_t p) { row(p * length, p, length); });
        return;
    }
    if constexpr (constant_or_zero<Post> != 1) {
        constexpr std::size_t width = simd::width<T>;
        const std::size_t registers = (columns + width - 1) / width, count = length;
        for_rows(pre * registers, count * width, [&](std::size_t u) {
            const std::size_t p = u / registers, q = u % registers * width;
            const std::size_t at = p * count * columns + q, result = p * columns + q;
            if (q + width <= columns) column(at, result, count, columns, whole{});
            else column(at, result, count, columns, part{columns - q});
        });
    }
}

}  // namespace detail

/// y[p, i, q] = exp(x[p, i, q]) / sum over j of exp(x[p, j, q]).
///
/// x, y: [pre, n, post], contiguous; y may be x. Numbers of any finite size are safe; where all of a row is -inf, y is
/// 0. Probabilities below the smallest normal number are 0. PyTorch: torch.softmax(x, 1), but for that row (NaN there).
template <class T>
void softmax(T const* x, T* y, auto pre, auto n, auto post) {
    detail::for_rows_or_columns<T>(
        pre, n, post, [=](std::size_t at, std::size_t, auto length) { detail::softmax_row(x + at, y + at, length); },
        [=](std::size_t at, std::size_t, std::size_t length, std::size_t stride, auto t) {
            detail::softmax_columns(x + at, y + at, length, stride, t);
        });
}

/// y[p, i, q] = x[p, i, q] - log(sum over j of exp(x[p, j, q])).
///
/// x, y: [pre, n, post], contiguous; y may be x. Where all of a row is -inf, y is -inf. PyTorch: torch.log_softmax(x,
/// 1).
template <class T>
void log_softmax(T const* x, T* y, auto pre, auto n, auto post) {
    detail::for_rows_or_columns<T>(
        pre, n, post,
        [=](std::size_t at, std::size_t, auto length) { detail::log_softmax_row(x + at, y + at, length); },
        [=](std::size_t at, std::size_t, std::size_t length, std::size_t stride, auto t) {
            detail::log_softmax_columns(x + at, y + at, length, stride, t);
        });
}

/// out[p, q] = log(sum over i of exp(x[p, i, q])); -inf where all of a row is.
///
/// x: [pre, n, post], out: [pre, post], contiguous. PyTorch: torch.logsumexp(x, 1).
template <class T>
void logsumexp(T const* x, T* out, auto pre, auto n, auto post) {
    detail::for_rows_or_columns<T>(
        pre, n, post,
        [=](std::size_t at, std::size_t p, auto length) { out[p] = detail::logsumexp_row(x + at, length); },
        [=](std::size_t at, std::size_t result, std::size_t length, std::size_t stride, auto t) {
            detail::logsumexp_columns(x + at, out + result, length, stride, t);
        });
}

/// dx = y (dy - sum(y dy)), the derivative of softmax by its result y.
///
/// y, dy, dx: [pre, n, post], contiguous; dx may be dy.
template <class T>
void softmax_backward(T const* y, T const* dy, T* dx, auto pre, auto n, auto post) {
    detail::for_rows_or_columns<T>(
        pre, n, post,
        [=](std::size_t at, std::size_t, auto length) {
            detail::softmax_backward_row(y + at, dy + at, dx + at, length);
        },
        [=](std::size_t at, std::size_t, std::size_t length, std::size_t stride, auto t) {
            detail::softmax_backward_columns(y + at, dy + at, dx + at, length, stride, t);
        });
}

/// dx = dy - exp(y) sum(dy), the derivative of log-softmax by its result y, the log-probabilities.
///
/// y, dy, dx: [pre, n, post], contiguous; dx may be dy.
template <class T>
void log_softmax_backward(T const* y, T const* dy, T* dx, auto pre, auto n, auto post) {
    detail::for_rows_or_columns<T>(
        pre, n, post,
        [=](std::size_t at, std::size_t, auto length) {
            detail::log_softmax_backward_row(y + at, dy + at, dx + at, length);
        },
        [=](std::size_t at, std::size_t, std::size_t length, std::size_t stride, auto t) {
            detail::log_softmax_backward_columns(y + at, dy + at, dx + at, length, stride, t);
        });
}

}  // namespace tenet::kernel
