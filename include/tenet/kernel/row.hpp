// SPDX-License-Identifier: MIT
// kernel: how a kernel walks over a row: whole registers, then one with lanes to spare; and over rows, in parallel when
// there is work enough. Sizes may be constants; only short rows keep them, so that many shapes share one instance.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include <tenet/base/constant.hpp>
#include <tenet/base/macros.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/simd/batch.hpp>
#include <tenet/simd/compare.hpp>
#include <tenet/simd/convert.hpp>
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

// The functions that walk over a row are marked flatten: what they call, lambdas above all, must become one loop body,
// and g++ inlines nothing that is called from several places by itself.

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

/// Rounds.
template <class T>
TENET_INLINE void store(batch<T> const& x, bfloat16* p, whole) {
    simd::store_bf16(x, p);
}
template <class T>
TENET_INLINE void store(batch<T> const& x, bfloat16* p, part t) {
    simd::store_from_partial<T>(x, p, t.count);
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
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (f(I * width, whole{}), ...);
        }(std::make_index_sequence<full>{});
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
    using value = batch<T>;
    static constexpr T identity = 0;
    TENET_INLINE static batch<T> start() { return batch<T>(identity); }
    TENET_INLINE static batch<T> apply(batch<T> const& a, batch<T> const& b) { return batch<T>(a.data + b.data); }
    TENET_INLINE static T apply(T a, T b) { return a + b; }
    TENET_INLINE static T lanes(batch<T> const& x) { return simd::reduce_add<T>(x); }
};
template <class T>
struct taking_max {
    using value = batch<T>;
    static constexpr T identity = -std::numeric_limits<T>::infinity();
    TENET_INLINE static batch<T> start() { return batch<T>(identity); }
    TENET_INLINE static batch<T> apply(batch<T> const& a, batch<T> const& b) { return simd::max<T>(a, b); }
    TENET_INLINE static T apply(T a, T b) { return a > b || a != a ? a : b; }
    TENET_INLINE static T lanes(batch<T> const& x) { return simd::reduce_max<T>(x); }
};
template <class T>
struct taking_min {
    using value = batch<T>;
    static constexpr T identity = std::numeric_limits<T>::infinity();
    TENET_INLINE static batch<T> start() { return batch<T>(identity); }
    TENET_INLINE static batch<T> apply(batch<T> const& a, batch<T> const& b) { return simd::min<T>(a, b); }
    TENET_INLINE static T apply(T a, T b) { return a < b || a != a ? a : b; }
    TENET_INLINE static T lanes(batch<T> const& x) { return simd::reduce_min<T>(x); }
};

/// The maximum where a NaN need not win, since it reaches the result by another way: one instruction.
template <class T>
struct taking_fast_max : taking_max<T> {
    TENET_INLINE static batch<T> apply(batch<T> const& a, batch<T> const& b) { return simd::fast_max<T>(a, b); }
    TENET_INLINE static T lanes(batch<T> const& x) { return simd::fast_reduce_max<T>(x); }
};

/// Two sums at once.
template <class V>
struct two {
    V first, second;
};
template <class T>
struct adding_two {
    using value = two<batch<T>>;
    static constexpr T identity = 0;
    TENET_INLINE static value start() { return {batch<T>(identity), batch<T>(identity)}; }
    TENET_INLINE static value apply(value const& a, value const& b) {
        return {adding<T>::apply(a.first, b.first), adding<T>::apply(a.second, b.second)};
    }
    TENET_INLINE static two<T> lanes(value const& x) {
        return {simd::reduce_add<T>(x.first), simd::reduce_add<T>(x.second)};
    }
};
template <class T, class Tail>
TENET_INLINE two<batch<T>> existing(two<batch<T>> const& x, T other, Tail t) {
    return {existing<T>(x.first, other, t), existing<T>(x.second, other, t)};
}

/// Folds f(i, whole or part), the registers of [begin, end).
template <class T, class Op, class F>
TENET_INLINE typename Op::value fold_range(std::size_t begin, std::size_t end, F const& f) {
    constexpr std::size_t width = simd::width<T>;
    // Four chains: an addition takes four cycles, and one or two can start in each.
    auto a = Op::start(), b = a, c = a, d = a;
    std::size_t i = begin;
    for (; i + 4 * width <= end; i += 4 * width) {
        a = Op::apply(f(i, whole{}), a);
        b = Op::apply(f(i + width, whole{}), b);
        c = Op::apply(f(i + 2 * width, whole{}), c);
        d = Op::apply(f(i + 3 * width, whole{}), d);
    }
    for (; i + width <= end; i += width) a = Op::apply(f(i, whole{}), a);
    if (i < end) {
        const part rest{end - i};
        b = Op::apply(existing<T>(f(i, rest), Op::identity, rest), b);
    }
    return Op::apply(Op::apply(a, b), Op::apply(c, d));
}

/// The fold of a row of `n`, as a number: f(i, whole or part) is the register at i.
template <class T, class Op, class N, class F>
TENET_INLINE auto fold(N n, F const& f) {
    auto total = Op::start();
    if constexpr (is_constant<N>) {
        for_vectors<T>(n,
                       [&](std::size_t i, auto t) { total = Op::apply(existing<T>(f(i, t), Op::identity, t), total); });
    } else {
        for (std::size_t begin = 0; begin < n; begin += sum_block)
            total = Op::apply(fold_range<T, Op>(begin, std::min<std::size_t>(n, begin + sum_block), f), total);
    }
    return Op::lanes(total);
}

/// row(r) for each of `rows` rows, each `work` elements of work; on several threads when that pays.
template <class F>
void for_rows(std::size_t rows, std::size_t work, F const& row) {
    const std::size_t grain = std::max<std::size_t>(1, parallel_work / std::max<std::size_t>(1, work));
    parallel_for(rows, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t r = begin; r < end; ++r) row(r);
    });
}

/// Short rows that are worked on together where each waits for sums over its lanes: one fills the other's waits, while
/// all are in the first cache.
template <class N>
inline constexpr std::size_t rows_at_once = is_constant<N> && constant_or_zero<N> <= 2048 ? 4 : 1;

/// rows(r, constant) for `rows_at_once` rows of n elements from r on, one by one for what remains; in parallel.
template <class N, class F>
void for_some_rows(std::size_t count, N n, F const& rows) {
    constexpr std::size_t some = rows_at_once<N>;
    for_rows((count + some - 1) / some, some * n, [&](std::size_t group) {
        std::size_t r = group * some;
        if (r + some <= count) return rows(r, constant<some>{});
        for (; r < count; ++r) rows(r, constant<1>{});
    });
}

}  // namespace tenet::kernel::detail
