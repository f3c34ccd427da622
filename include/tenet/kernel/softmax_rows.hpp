// SPDX-License-Identifier: MIT
// kernel: softmax and its like on one row, or on one register of columns. Three passes (maximum, sum of exponentials,
// scaling): rows stay in the first cache, and one pass with running corrections measures slower.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include <tenet/kernel/row.hpp>
#include <tenet/simd/exp.hpp>
#include <tenet/simd/log.hpp>

namespace tenet::kernel::detail {

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

/// Prefetches what the pass of exponentials will find in the place of row x, `rows` rows on: where a row is more than
/// the first cache holds, the next one comes from memory while this one is computed.
template <class T, class N>
struct next_row {
    static constexpr std::size_t long_row = (std::size_t{1} << 16) / sizeof(T);
    static constexpr bool never = is_constant<N> && constant_or_zero<N> < long_row;
    T const* at;

    next_row(T const* x, N n, std::size_t rows = 1) : at(x + (n < long_row ? 0 : rows * n)) {}
    TENET_INLINE void prefetch(std::size_t i) const {
        if constexpr (!never) __builtin_prefetch(at + i, 0, 2);
    }
};

/// log(sum(exp(x))) is shift + log_sum. Their sum would lose digits that a difference from x may need.
template <class V>
struct split_logsumexp {
    V shift, log_sum;
};

template <class T, class N>
TENET_INLINE split_logsumexp<T> row_logsumexp(T const* x, N n) {
    const T shift = softmax_shift(row_max(x, n));
    const batch<T> m(shift);
    const next_row<T, N> next(x, n);
    const T sum = fold<T, adding<T>>(n, [=](std::size_t i, auto t) {
        next.prefetch(i);
        return simd::exp_not_positive<T>(load(x + i, t) - m);
    });
    return {shift, std::log(sum)};
}

// Several short rows pass by pass, since a row's passes wait for each other.
template <std::size_t Rows, class T, class N>
[[gnu::flatten]] void softmax_rows(T const* x, T* y, N n) {
    batch<T> shift[Rows];
    T scale[Rows];
    TENET_UNROLL
    for (std::size_t k = 0; k < Rows; ++k) shift[k] = batch<T>(softmax_shift(row_max(x + k * n, n)));
    TENET_UNROLL
    for (std::size_t k = 0; k < Rows; ++k) {
        T const* const row = x + k * n;
        T* const result = y + k * n;
        const next_row<T, N> next(row, n, Rows);
        const batch<T> s = shift[k];
        const T sum = fold<T, adding<T>>(n, [=](std::size_t i, auto t) {
            next.prefetch(i);
            const batch<T> e = simd::exp_not_positive<T>(load(row + i, t) - s);
            store<T>(e, result + i, t);
            return e;
        });
        scale[k] = sum == T{0} ? T{0} : T{1} / sum;
    }
    TENET_UNROLL
    for (std::size_t k = 0; k < Rows; ++k) {
        T* const result = y + k * n;
        const batch<T> s(scale[k]);
        for_vectors<T>(n, [=](std::size_t i, auto t) { store<T>(load(result + i, t) * s, result + i, t); });
    }
}

template <class T, class N>
[[gnu::flatten]] void log_softmax_row(T const* x, T* y, N n) {
    const auto lse = row_logsumexp(x, n);
    const batch<T> shift(lse.shift), log_sum(softmax_shift(lse.log_sum));
    for_vectors<T>(n, [=](std::size_t i, auto t) { store<T>(load(x + i, t) - shift - log_sum, y + i, t); });
}

template <class T, class N>
[[gnu::flatten]] T logsumexp_row(T const* x, N n) {
    const auto lse = row_logsumexp(x, n);
    return lse.shift + lse.log_sum;
}

template <class T, class N>
[[gnu::flatten]] void softmax_backward_row(T const* y, T const* dy, T* dx, N n) {
    const batch<T> sum(fold<T, adding<T>>(n, [=](std::size_t i, auto t) { return load(y + i, t) * load(dy + i, t); }));
    for_vectors<T>(n, [=](std::size_t i, auto t) { store<T>(load(y + i, t) * (load(dy + i, t) - sum), dx + i, t); });
}

template <class T, class N>
[[gnu::flatten]] void log_softmax_backward_row(T const* y, T const* dy, T* dx, N n) {
    const batch<T> sum(fold<T, adding<T>>(n, [=](std::size_t i, auto t) { return load(dy + i, t); }));
    for_vectors<T>(n, [=](std::size_t i, auto t) {
        const batch<T> p = simd::exp_not_positive<T>(load(y + i, t));
        store<T>(simd::fnma<T>(p, sum, load(dy + i, t)), dx + i, t);
    });
}

// Columns: one register of them at a time, the rows `stride` apart. Lanes that do not exist hold zeros, harmlessly.
template <class T, class Tail>
TENET_INLINE batch<T> columns_shift(T const* x, std::size_t n, std::size_t stride, Tail t) {
    batch<T> m(taking_max<T>::identity);
    for (std::size_t i = 0; i < n; ++i) m = simd::fast_max<T>(load(x + i * stride, t), m);
    return softmax_shift(m);
}

template <class T, class Tail>
TENET_INLINE split_logsumexp<batch<T>> columns_logsumexp(T const* x, std::size_t n, std::size_t stride, Tail t) {
    const batch<T> shift = columns_shift(x, n, stride, t);
    batch<T> sum(T{0});
    for (std::size_t i = 0; i < n; ++i) sum = sum + simd::exp_not_positive<T>(load(x + i * stride, t) - shift);
    return {shift, simd::log(sum)};
}

template <class T, class Tail>
[[gnu::flatten]] void softmax_columns(T const* x, T* y, std::size_t n, std::size_t stride, Tail t) {
    const batch<T> shift = columns_shift(x, n, stride, t);
    batch<T> sum(T{0});
    for (std::size_t i = 0; i < n; ++i) {
        const batch<T> e = simd::exp_not_positive<T>(load(x + i * stride, t) - shift);
        store<T>(e, y + i * stride, t);
        sum = sum + e;
    }
    const batch<T> zero(T{0}), scale = simd::select<T>(sum == zero, zero, batch<T>(T{1}) / sum);
    for (std::size_t i = 0; i < n; ++i) store<T>(load(y + i * stride, t) * scale, y + i * stride, t);
}

template <class T, class Tail>
[[gnu::flatten]] void log_softmax_columns(T const* x, T* y, std::size_t n, std::size_t stride, Tail t) {
    const auto lse = columns_logsumexp(x, n, stride, t);
    const batch<T> log_sum = softmax_shift(lse.log_sum);
    for (std::size_t i = 0; i < n; ++i) store<T>(load(x + i * stride, t) - lse.shift - log_sum, y + i * stride, t);
}

template <class T, class Tail>
[[gnu::flatten]] void logsumexp_columns(T const* x, T* out, std::size_t n, std::size_t stride, Tail t) {
    const auto lse = columns_logsumexp(x, n, stride, t);
    store<T>(lse.shift + lse.log_sum, out, t);
}

template <class T, class Tail>
[[gnu::flatten]] void softmax_backward_columns(T const* y, T const* dy, T* dx, std::size_t n, std::size_t stride,
                                               Tail t) {
    batch<T> sum(T{0});
    for (std::size_t i = 0; i < n; ++i) sum = simd::fma<T>(load(y + i * stride, t), load(dy + i * stride, t), sum);
    for (std::size_t i = 0, o = 0; i < n; ++i, o += stride)
        store<T>(load(y + o, t) * (load(dy + o, t) - sum), dx + o, t);
}

template <class T, class Tail>
[[gnu::flatten]] void log_softmax_backward_columns(T const* y, T const* dy, T* dx, std::size_t n, std::size_t stride,
                                                   Tail t) {
    batch<T> sum(T{0});
    for (std::size_t i = 0; i < n; ++i) sum = sum + load(dy + i * stride, t);
    for (std::size_t i = 0, o = 0; i < n; ++i, o += stride) {
        const batch<T> p = simd::exp_not_positive<T>(load(y + o, t));
        store<T>(simd::fnma<T>(p, sum, load(dy + o, t)), dx + o, t);
    }
}

}  // namespace tenet::kernel::detail
