// SPDX-License-Identifier: MIT
// kernel: softmax, log-softmax and their like along the middle of [pre, n, post], rows or registers of columns shared
// out among threads.
#pragma once

#include <cstddef>

#include <tenet/kernel/row.hpp>
#include <tenet/kernel/softmax_rows.hpp>

namespace tenet::kernel {

namespace detail {

/// column(offset, result, n, post, whole or part) for each register of columns of [pre, n, post], `result` being its
/// place in [pre, post]; in parallel.
template <class T, class Pre, class Post, class Column>
void for_columns([[maybe_unused]] Pre pre, [[maybe_unused]] std::size_t n, [[maybe_unused]] Post post,
                 [[maybe_unused]] Column const& column) {
    if constexpr (constant_or_zero<Post> != 1) {
        constexpr std::size_t width = simd::width<T>;
        const std::size_t columns = post, registers = (columns + width - 1) / width;
        for_rows(pre * registers, n * width, [&](std::size_t u) {
            const std::size_t p = u / registers, q = u % registers * width;
            const std::size_t at = p * n * columns + q, result = p * columns + q;
            if (q + width <= columns) column(at, result, n, columns, whole{});
            else column(at, result, n, columns, part{columns - q});
        });
    }
}

/// row(offset, p, n) for each row of [pre, n, post] if post is 1, `column` as `for_columns` otherwise; in parallel.
template <class T, class Pre, class N, class Post, class Row, class Column>
void for_rows_or_columns(Pre pre, N n, Post post, Row const& row, Column const& column) {
    const auto length = row_length<T>(n);
    if (std::size_t{post} == 1) for_rows(pre, length, [&](std::size_t p) { row(p * length, p, length); });
    else for_columns<T>(pre, length, post, column);
}

}  // namespace detail

/// y[p, i, q] = exp(x[p, i, q]) / sum over j of exp(x[p, j, q]).
///
/// x, y: [pre, n, post], contiguous; y may be x. Numbers of any finite size are safe; where all of a row is -inf, y is
/// 0. Probabilities below the smallest normal number are 0. PyTorch: torch.softmax(x, 1), but for that row (NaN there).
template <class T>
void softmax(T const* x, T* y, auto pre, auto n, auto post) {
    const auto length = detail::row_length<T>(n);
    if (std::size_t{post} == 1)
        return detail::for_some_rows(pre, length, [=](std::size_t r, auto count) {
            detail::softmax_rows<decltype(count)::value>(x + r * length, y + r * length, length);
        });
    detail::for_columns<T>(pre, length, post,
                           [=](std::size_t at, std::size_t, std::size_t count, std::size_t stride, auto t) {
                               detail::softmax_columns(x + at, y + at, count, stride, t);
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
