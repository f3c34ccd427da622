// SPDX-License-Identifier: MIT
// kernel: softmax, log-softmax and their like along the middle of [pre, n, post]. Three passes (maximum, sum of
// exponentials, scaling): rows stay in the first cache, and one pass with running corrections measures slower.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include <tenet/kernel/row.hpp>
#include <tenet/simd/exp.hpp>
#include <tenet/simd/log.hpp>

namespace tenet::kernel {

namespace detail {

// What is subtracted before exponentials are taken: the maximum, or 0 where it is -inf, since -inf - -inf is NaN.
template <class T>
T softmax_shift(T largest) {
    return largest == -std::numeric_limits<T>::infinity() ? T{0} : largest;
}
template <class T>
TENET_INLINE batch<T> softmax_shift(batch<T> const& largest) {
    return simd::select<T>(largest == batch<T>(-std::numeric_limits<T>::infinity()), batch<T>(T{0}), largest);
}

template <class T, class N>
TENET_INLINE T row_max(T const* x, N n) {
    return fold<T, taking_fast_max<T>>(n, [=](std::size_t i, auto t) { return load(x + i, t); });
}

/// The sum of exp(x - shift) over a row.
template <class T, class N>
TENET_INLINE T row_sum_exp(T const* x, N n, T shift) {
    const batch<T> m(shift);
    return fold<T, adding<T>>(n, [=](std::size_t i, auto t) { return simd::exp_not_positive<T>(load(x + i, t) - m); });
}

/// log(sum(exp(x))) of a row is shift + log_sum. Their sum would lose digits that a difference from x may need.
template <class T>
struct split_logsumexp {
    T shift, log_sum;
};

template <class T, class N>
TENET_INLINE split_logsumexp<T> row_logsumexp(T const* x, N n) {
    const T shift = softmax_shift(row_max(x, n));
    return {shift, std::log(row_sum_exp(x, n, shift))};
}

template <class T, class N>
void softmax_row(T const* x, T* y, N n) {
    const batch<T> shift(softmax_shift(row_max(x, n)));
    const T sum = fold<T, adding<T>>(n, [=](std::size_t i, auto t) {
        const batch<T> e = simd::exp_not_positive<T>(load(x + i, t) - shift);
        store<T>(e, y + i, t);
        return e;
    });
    const batch<T> scale(sum == T{0} ? T{0} : T{1} / sum);
    for_vectors<T>(n, [=](std::size_t i, auto t) { store<T>(load(y + i, t) * scale, y + i, t); });
}

// Columns: one register of them at a time, the rows `stride` apart. Lanes that do not exist hold zeros, harmlessly.
template <class T, class Tail>
TENET_INLINE batch<T> columns_max(T const* x, std::size_t n, std::size_t stride, Tail t) {
    batch<T> m(taking_max<T>::identity);
    for (std::size_t i = 0; i < n; ++i) m = simd::fast_max<T>(load(x + i * stride, t), m);
    return m;
}

template <class T, class Tail>
TENET_INLINE batch<T> columns_sum_exp(T const* x, std::size_t n, std::size_t stride, batch<T> const& shift, Tail t) {
    batch<T> sum(T{0});
    for (std::size_t i = 0; i < n; ++i) sum = sum + simd::exp_not_positive<T>(load(x + i * stride, t) - shift);
    return sum;
}

template <class T, class Tail>
TENET_INLINE split_logsumexp<batch<T>> columns_logsumexp(T const* x, std::size_t n, std::size_t stride, Tail t) {
    const batch<T> shift = softmax_shift(columns_max(x, n, stride, t));
    return {shift, simd::log(columns_sum_exp(x, n, stride, shift, t))};
}

template <class T, class Tail>
void softmax_columns(T const* x, T* y, std::size_t n, std::size_t stride, Tail t) {
    const batch<T> shift = softmax_shift(columns_max(x, n, stride, t));
    batch<T> sum(T{0});
    for (std::size_t i = 0; i < n; ++i) {
        const batch<T> e = simd::exp_not_positive<T>(load(x + i * stride, t) - shift);
        store<T>(e, y + i * stride, t);
        sum = sum + e;
    }
    const batch<T> zero(T{0}), scale = simd::select<T>(sum == zero, zero, batch<T>(T{1}) / sum);
    for (std::size_t i = 0; i < n; ++i) store<T>(load(y + i * stride, t) * scale, y + i * stride, t);
}

/// rows(offset, n) for each row of [pre, n, post] if post is 1, columns(offset of x, offset of a result, n, post, tail)
/// for each register of columns otherwise; in parallel.
template <class T, class Pre, class N, class Post, class Row, class Column>
void for_rows_or_columns(Pre pre, N n, Post post, Row const& row, Column const& column) {
    const auto length = row_length<T>(n);
    const std::size_t columns = post;
    if (columns == 1) {
        for_rows(pre, length, [&](std::size_t p) { row(p, p * length, length); });
        return;
    }
    constexpr std::size_t width = simd::width<T>;
    const std::size_t registers = (columns + width - 1) / width;
    for_rows(pre * registers, length * width, [&](std::size_t u) {
        const std::size_t p = u / registers, q = u % registers * width;
        const std::size_t at = p * length * columns + q, result = p * columns + q;
        if (q + width <= columns) column(at, result, static_cast<std::size_t>(length), columns, whole{});
        else column(at, result, static_cast<std::size_t>(length), columns, part{columns - q});
    });
}

}  // namespace detail

/// y[p, i, q] = exp(x[p, i, q]) / sum over j of exp(x[p, j, q]).
///
/// x, y: [pre, n, post], contiguous; y may be x. Numbers of any size are safe; where all of a row is -inf, y is 0.
/// Probabilities below the smallest normal number are 0. PyTorch: torch.softmax(x, 1), but for that row (NaN there).
template <class T>
void softmax(T const* x, T* y, auto pre, auto n, auto post) {
    detail::for_rows_or_columns<T>(
        pre, n, post, [=](std::size_t, std::size_t at, auto length) { detail::softmax_row(x + at, y + at, length); },
        [=](std::size_t at, std::size_t, std::size_t length, std::size_t stride, auto t) {
            detail::softmax_columns(x + at, y + at, length, stride, t);
        });
}

/// y[p, i, q] = x[p, i, q] - log(sum over j of exp(x[p, j, q])).
///
/// x, y: [pre, n, post], contiguous; y may be x. Where all of a row is -inf, y is -inf. PyTorch: torch.log_softmax(x, 1).
template <class T>
void log_softmax(T const* x, T* y, auto pre, auto n, auto post) {
    detail::for_rows_or_columns<T>(
        pre, n, post,
        [=](std::size_t, std::size_t at, auto length) {
            const auto lse = detail::row_logsumexp(x + at, length);
            const simd::batch<T> shift(lse.shift), log_sum(detail::softmax_shift(lse.log_sum));
            detail::for_vectors<T>(length, [=](std::size_t i, auto t) {
                detail::store<T>(detail::load(x + at + i, t) - shift - log_sum, y + at + i, t);
            });
        },
        [=](std::size_t at, std::size_t, std::size_t length, std::size_t stride, auto t) {
            const auto lse = detail::columns_logsumexp(x + at, length, stride, t);
            const simd::batch<T> log_sum = detail::softmax_shift(lse.log_sum);
            for (std::size_t i = 0, o = at; i < length; ++i, o += stride)
                detail::store<T>(detail::load(x + o, t) - lse.shift - log_sum, y + o, t);
        });
}

/// out[p, q] = log(sum over i of exp(x[p, i, q])); -inf where all of a row is.
///
/// x: [pre, n, post], out: [pre, post], contiguous. PyTorch: torch.logsumexp(x, 1).
template <class T>
void logsumexp(T const* x, T* out, auto pre, auto n, auto post) {
    detail::for_rows_or_columns<T>(
        pre, n, post,
        [=](std::size_t p, std::size_t at, auto length) {
            const auto lse = detail::row_logsumexp(x + at, length);
            out[p] = lse.shift + lse.log_sum;
        },
        [=](std::size_t at, std::size_t result, std::size_t length, std::size_t stride, auto t) {
            const auto lse = detail::columns_logsumexp(x + at, length, stride, t);
            detail::store<T>(lse.shift + lse.log_sum, out + result, t);
        });
}

/// dx = y (dy - sum(y dy)), the derivative of softmax by its result y.
///
/// y, dy, dx: [pre, n, post], contiguous; dx may be dy.
template <class T>
void softmax_backward(T const* y, T const* dy, T* dx, auto pre, auto n, auto post) {
    using simd::batch;
    detail::for_rows_or_columns<T>(
        pre, n, post,
        [=](std::size_t, std::size_t at, auto length) {
            const batch<T> sum(detail::fold<T, detail::adding<T>>(length, [=](std::size_t i, auto t) {
                return detail::load(y + at + i, t) * detail::load(dy + at + i, t);
            }));
            detail::for_vectors<T>(length, [=](std::size_t i, auto t) {
                detail::store<T>(detail::load(y + at + i, t) * (detail::load(dy + at + i, t) - sum), dx + at + i, t);
            });
        },
        [=](std::size_t at, std::size_t, std::size_t length, std::size_t stride, auto t) {
            batch<T> sum(T{0});
            for (std::size_t i = 0; i < length; ++i)
                sum = simd::fma<T>(detail::load(y + at + i * stride, t), detail::load(dy + at + i * stride, t), sum);
            for (std::size_t i = 0, o = at; i < length; ++i, o += stride)
                detail::store<T>(detail::load(y + o, t) * (detail::load(dy + o, t) - sum), dx + o, t);
        });
}

/// dx = dy - exp(y) sum(dy), the derivative of log-softmax by its result y, the log-probabilities.
///
/// y, dy, dx: [pre, n, post], contiguous; dx may be dy.
template <class T>
void log_softmax_backward(T const* y, T const* dy, T* dx, auto pre, auto n, auto post) {
    using simd::batch;
    detail::for_rows_or_columns<T>(
        pre, n, post,
        [=](std::size_t, std::size_t at, auto length) {
            const batch<T> sum(detail::fold<T, detail::adding<T>>(
                length, [=](std::size_t i, auto t) { return detail::load(dy + at + i, t); }));
            detail::for_vectors<T>(length, [=](std::size_t i, auto t) {
                const batch<T> p = simd::exp_not_positive<T>(detail::load(y + at + i, t));
                detail::store<T>(simd::fnma<T>(p, sum, detail::load(dy + at + i, t)), dx + at + i, t);
            });
        },
        [=](std::size_t at, std::size_t, std::size_t length, std::size_t stride, auto t) {
            batch<T> sum(T{0});
            for (std::size_t i = 0; i < length; ++i) sum = sum + detail::load(dy + at + i * stride, t);
            for (std::size_t i = 0, o = at; i < length; ++i, o += stride) {
                const batch<T> p = simd::exp_not_positive<T>(detail::load(y + o, t));
                detail::store<T>(simd::fnma<T>(p, sum, detail::load(dy + o, t)), dx + o, t);
            }
        });
}

}  // namespace tenet::kernel
