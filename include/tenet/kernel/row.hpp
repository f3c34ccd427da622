// SPDX-License-Identifier: MIT
// kernel: how a kernel walks over a row: whole registers, then one with lanes to spare; and over rows, in parallel when
// there is work enough. Sizes may be constants; only short rows keep them, so that many shapes share one instance.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

#include <tenet/base/constant.hpp>
#include <tenet/base/macros.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/simd/batch.hpp>
#include <tenet/simd/compare.hpp>
#include <tenet/simd/reduce.hpp>

namespace tenet::kernel::detail {

using simd::batch;

/// Elements worth a task of their own, about 5 us of work at 0.3 ns each.
inline constexpr std::size_t parallel_work = std::size_t{1} << 14;

/// Elements that one sum runs over before it is added to a larger one, which keeps long sums accurate.
inline constexpr std::size_t sum_block = 4096;

/// A constant `n` of up to 8 registers as it is, so that the loops over it unroll; anything else as a run-time number.
template <class T, class N>
constexpr auto row_length(N n) {
    if constexpr (is_constant<N>) {
        if constexpr (N::value <= 8 * simd::width<T>) return n;
        else return static_cast<std::size_t>(N::value);
    } else {
        return static_cast<std::size_t>(n);
    }
}

/// A register full of elements, or one of which only the first `count` lanes exist.
struct whole {};
struct part {
    std::size_t count;
};

template <class T>
TENET_INLINE batch<T> load(T const* p, whole) {
    return batch<T>::load_unaligned(p);
}
template <class T>
TENET_INLINE batch<T> load(T const* p, part t) {
    return simd::load_partial<T>(p, t.count);
}
template <class T>
TENET_INLINE void store(batch<T> const& x, T* p, whole) {
    x.store_unaligned(p);
}
template <class T>
TENET_INLINE void store(batch<T> const& x, T* p, part t) {
    simd::store_partial<T>(x, p, t.count);
}

/// `x` where lanes exist, `other` beyond them.
template <class T>
TENET_INLINE batch<T> existing(batch<T> const& x, T, whole) {
    return x;
}
template <class T>
TENET_INLINE batch<T> existing(batch<T> const& x, T other, part t) {
    return simd::select<T>(simd::first_lanes<T>(t.count), x, batch<T>(other));
}

/// f(i, whole or part) for each register of a row of `n`.
template <class T, class N, class F>
TENET_INLINE void for_vectors(N n, F const& f) {
    constexpr std::size_t width = simd::width<T>;
    if constexpr (is_constant<N>) {
        constexpr std::size_t full = N::value / width, rest = N::value % width;
        TENET_UNROLL
        for (std::size_t i = 0; i < full; ++i) f(i * width, whole{});
        if constexpr (rest != 0) f(full * width, part{rest});
    } else {
        std::size_t i = 0;
        for (; i + width <= n; i += width) f(i, whole{});
        if (i < n) f(i, part{n - i});
    }
}

/// Operations that a row may be folded with: on registers, on numbers, and over the lanes.
template <class T>
struct adding {
    static constexpr T identity = 0;
    TENET_INLINE static batch<T> apply(batch<T> const& a, batch<T> const& b) { return batch<T>(a.data + b.data); }
    static T apply(T a, T b) { return a + b; }
    TENET_INLINE static T lanes(batch<T> const& x) { return simd::reduce_add<T>(x); }
};
template <class T>
struct taking_max {
    static constexpr T identity = -std::numeric_limits<T>::infinity();
    TENET_INLINE static batch<T> apply(batch<T> const& a, batch<T> const& b) { return simd::max<T>(a, b); }
    static T apply(T a, T b) { return a > b || a != a ? a : b; }
    TENET_INLINE static T lanes(batch<T> const& x) { return simd::reduce_max<T>(x); }
};
template <class T>
struct taking_min {
    static constexpr T identity = std::numeric_limits<T>::infinity();
    TENET_INLINE static batch<T> apply(batch<T> const& a, batch<T> const& b) { return simd::min<T>(a, b); }
    static T apply(T a, T b) { return a < b || a != a ? a : b; }
    TENET_INLINE static T lanes(batch<T> const& x) { return simd::reduce_min<T>(x); }
};
/// The maximum where a NaN need not win, since it reaches the result by another way: one instruction.
template <class T>
struct taking_fast_max : taking_max<T> {
    using taking_max<T>::apply;
    TENET_INLINE static batch<T> apply(batch<T> const& a, batch<T> const& b) { return simd::fast_max<T>(a, b); }
    TENET_INLINE static T lanes(batch<T> const& x) { return simd::fast_reduce_max<T>(x); }
};

/// Folds `K` quantities over [begin, end): f(i, whole or part, values) sets the values of one register each.
template <class T, class Op, std::size_t K, class F>
TENET_INLINE void fold_range(std::size_t begin, std::size_t end, batch<T> (&total)[K], F const& f) {
    constexpr std::size_t width = simd::width<T>, parallel = 4;
    // Independent chains: an addition takes four cycles, and two can start in each.
    batch<T> sums[parallel][K], values[K];
    TENET_UNROLL
    for (std::size_t u = 0; u < parallel; ++u) {
        TENET_UNROLL
        for (std::size_t k = 0; k < K; ++k) sums[u][k] = batch<T>(Op::identity);
    }
    std::size_t i = begin;
    for (; i + parallel * width <= end; i += parallel * width) {
        TENET_UNROLL
        for (std::size_t u = 0; u < parallel; ++u) {
            f(i + u * width, whole{}, values);
            TENET_UNROLL
            for (std::size_t k = 0; k < K; ++k) sums[u][k] = Op::apply(sums[u][k], values[k]);
        }
    }
    for (; i + width <= end; i += width) {
        f(i, whole{}, values);
        TENET_UNROLL
        for (std::size_t k = 0; k < K; ++k) sums[0][k] = Op::apply(sums[0][k], values[k]);
    }
    if (i < end) {
        const part rest{end - i};
        f(i, rest, values);
        TENET_UNROLL
        for (std::size_t k = 0; k < K; ++k)
            sums[1][k] = Op::apply(sums[1][k], existing<T>(values[k], Op::identity, rest));
    }
    TENET_UNROLL
    for (std::size_t k = 0; k < K; ++k)
        total[k] = Op::apply(total[k], Op::apply(Op::apply(sums[0][k], sums[1][k]), Op::apply(sums[2][k], sums[3][k])));
}

/// The folds of `K` quantities over a row of `n`, as numbers.
template <class T, class Op, std::size_t K, class N, class F>
TENET_INLINE void fold(N n, T (&result)[K], F const& f) {
    batch<T> total[K];
    TENET_UNROLL
    for (std::size_t k = 0; k < K; ++k) total[k] = batch<T>(Op::identity);
    if constexpr (is_constant<N>) {
        for_vectors<T>(n, [&](std::size_t i, auto t) {
            batch<T> values[K];
            f(i, t, values);
            TENET_UNROLL
            for (std::size_t k = 0; k < K; ++k)
                total[k] = Op::apply(total[k], existing<T>(values[k], Op::identity, t));
        });
    } else {
        for (std::size_t begin = 0; begin < n; begin += sum_block)
            fold_range<T, Op>(begin, std::min<std::size_t>(n, begin + sum_block), total, f);
    }
    TENET_UNROLL
    for (std::size_t k = 0; k < K; ++k) result[k] = Op::lanes(total[k]);
}

/// The fold of one quantity: f(i, whole or part) is its register.
template <class T, class Op, class N, class F>
TENET_INLINE T fold(N n, F const& f) {
    T result[1];
    fold<T, Op>(n, result, [&](std::size_t i, auto t, batch<T>(&values)[1]) { values[0] = f(i, t); });
    return result[0];
}

/// row(r) for each of `rows` rows, each `work` elements of work; on several threads when that pays.
template <class F>
void for_rows(std::size_t rows, std::size_t work, F const& row) {
    const std::size_t grain = std::max<std::size_t>(1, parallel_work / std::max<std::size_t>(1, work));
    parallel_for(rows, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t r = begin; r < end; ++r) row(r);
    });
}

}  // namespace tenet::kernel::detail
