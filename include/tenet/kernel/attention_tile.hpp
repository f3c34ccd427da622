// SPDX-License-Identifier: MIT
// kernel: what attention does within a tile of scores. Tiles lie with keys along rows and queries along columns, so
// that the maximum and the sum of a softmax run down the registers, never across their lanes, and the products that
// read a tile with either side as rows do so by stride, without a transposition.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <tenet/base/macros.hpp>
#include <tenet/simd/batch.hpp>
#include <tenet/simd/compare.hpp>
#include <tenet/simd/math.hpp>
#include <tenet/simd/reduce.hpp>

namespace tenet::kernel::detail {

inline constexpr std::size_t key_tile = 64;               ///< keys of a tile
inline constexpr std::size_t query_tile = 64;             ///< most queries of a tile
inline constexpr std::size_t transposed_size = 64 * 256;  ///< elements of a transposed tile of queries
inline constexpr std::size_t largest_head = transposed_size / 16;

/// One head of one batch entry, and which keys its queries see.
template <class T>
struct attention_head {
    std::size_t queries, keys, size;  ///< Tq, S, D
    std::size_t length;               ///< keys that exist, at most `keys`
    bool causal;
    T scale;

    /// Keys that query i sees, as if there were any number: a negative or too large number means none or all.
    std::ptrdiff_t horizon(std::size_t i) const {
        return causal ? static_cast<std::ptrdiff_t>(i + 1 + keys) - static_cast<std::ptrdiff_t>(queries)
                      : static_cast<std::ptrdiff_t>(length);
    }
    /// Keys that query i sees: [0, visible(i)).
    std::size_t visible(std::size_t i) const {
        return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(horizon(i), 0, static_cast<std::ptrdiff_t>(length)));
    }
    /// Queries handled together: few enough for their transpose to fit, and fewer where a tile is cut by the diagonal.
    std::size_t queries_at_once() const {
        const std::size_t fit = transposed_size / std::max<std::size_t>(size, 1) / simd::width<T> * simd::width<T>;
        return std::min(fit, causal ? query_tile / 2 : query_tile);
    }
};

/// This thread's tiles; rows of a tile are `query_tile` apart.
template <class T>
struct attention_workspace {
    alignas(64) T scores[key_tile * query_tile];
    alignas(64) T gradients[key_tile * query_tile];
    alignas(64) T queries[transposed_size];
    alignas(64) T outputs[transposed_size];
    alignas(64) T largest[query_tile];
    alignas(64) T sum[query_tile];
    alignas(64) T factor[query_tile];
};
template <class T>
attention_workspace<T>& tiles() {
    static thread_local attention_workspace<T> space;
    return space;
}

/// A rectangle of scores: keys [first_key, first_key + keys) of queries [first_query, ...), `stride` between keys.
template <class T>
struct score_tile {
    T* data;
    std::size_t stride;
    std::size_t first_key, keys, first_query, queries;
};

/// f(c, j, valid) for registers of queries at column c: runs over the tile's keys j that some query of it sees.
/// `valid(x, other)` is x where the query sees the key. Returns the first key that no query of the register sees.
template <class T, class F>
TENET_INLINE std::size_t for_visible(attention_head<T> const& head, score_tile<T> const& tile, std::size_t c,
                                     F const& f) {
    constexpr std::size_t width = simd::width<T>;
    const std::size_t query = tile.first_query + c;
    const std::size_t last = std::min(query + width, tile.first_query + tile.queries) - 1;
    const auto within = [&](std::size_t keys) { return std::min(keys - std::min(keys, tile.first_key), tile.keys); };
    const std::size_t all = within(head.visible(query)), any = within(head.visible(last));
    for (std::size_t j = 0; j < all; ++j) f(j, [](simd::batch<T> const& x, simd::batch<T> const&) { return x; });
    for (std::size_t j = all; j < any; ++j) {
        const std::ptrdiff_t first_lane = static_cast<std::ptrdiff_t>(tile.first_key + j + 1) - head.horizon(query);
        const auto seen = simd::iota<T>() >= simd::batch<T>(static_cast<T>(first_lane));
        f(j, [&](simd::batch<T> const& x, simd::batch<T> const& other) { return simd::select<T>(seen, x, other); });
    }
    return any;
}

/// One step of the online softmax: scores become exp(score - largest), `largest` and `sum` take them in, and `factor`
/// is what earlier sums of this query must be multiplied with. Source: Milakov and Gimelshein, 2018.
template <class T>
[[gnu::noinline]] void softmax_step(attention_head<T> const& head, score_tile<T> const& tile,
                                    attention_workspace<T>& w) {
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>;
    const batch zero(T{0}), lowest(-std::numeric_limits<T>::infinity());
    for (std::size_t c = 0; c < tile.queries; c += width) {
        T* const column = tile.data + c;
        const batch before = batch::load_aligned(w.largest + c);
        batch largest = before;
        const std::size_t end = for_visible<T>(head, tile, c, [&](std::size_t j, auto const& valid) {
            largest = simd::fast_max<T>(largest, valid(batch::load_unaligned(column + j * tile.stride), lowest));
        });
        // A query that has seen no key yet: anything finite will do.
        const batch shift = simd::select<T>(largest == lowest, zero, largest);
        batch sum = zero;
        for_visible<T>(head, tile, c, [&](std::size_t j, auto const& valid) {
            T* const p = column + j * tile.stride;
            const batch e = valid(simd::exp_not_positive<T>(batch::load_unaligned(p) - shift), zero);
            sum = sum + e;
            e.store_unaligned(p);
        });
        for (std::size_t j = end; j < tile.keys; ++j) zero.store_unaligned(column + j * tile.stride);
        const batch factor = simd::exp_not_positive<T>(before - shift);
        factor.store_aligned(w.factor + c);
        simd::fma<T>(batch::load_aligned(w.sum + c), factor, sum).store_aligned(w.sum + c);
        largest.store_aligned(w.largest + c);
    }
}

/// factor = 1 / sum, and 0 for a query that sees nothing.
template <class T>
TENET_INLINE void invert_sums(attention_workspace<T>& w) {
    using batch = simd::batch<T>;
    for (std::size_t c = 0; c < query_tile; c += simd::width<T>) {
        const batch sum = batch::load_aligned(w.sum + c), zero(T{0});
        simd::select<T>(sum == zero, zero, batch(T{1}) / sum).store_aligned(w.factor + c);
    }
}

/// Each query's scores times its factor.
template <class T>
[[gnu::noinline]] void scale_columns(score_tile<T> const& tile, T const* factor) {
    using batch = simd::batch<T>;
    for (std::size_t c = 0; c < tile.queries; c += simd::width<T>) {
        const batch f = batch::load_aligned(factor + c);
        for (std::size_t j = 0; j < tile.keys; ++j) {
            T* const p = tile.data + j * tile.stride + c;
            (batch::load_unaligned(p) * f).store_unaligned(p);
        }
    }
}

/// Each of `rows` rows of n elements times its factor.
template <class T>
[[gnu::noinline]] void scale_rows(T* x, std::ptrdiff_t stride, std::size_t rows, std::size_t n, T const* factor) {
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>;
    for (std::size_t i = 0; i < rows; ++i, x += stride) {
        const batch f(factor[i]);
        std::size_t j = 0;
        for (; j + width <= n; j += width) (batch::load_unaligned(x + j) * f).store_unaligned(x + j);
        if (j < n) simd::store_partial<T>(simd::load_partial<T>(x + j, n - j) * f, x + j, n - j);
    }
}

/// Scores become probabilities again: exp(score - `shift`), `shift` being the log-sum-exp of the query.
template <class T>
[[gnu::noinline]] void probabilities_of(attention_head<T> const& head, score_tile<T> const& tile, T const* shift) {
    using batch = simd::batch<T>;
    const batch zero(T{0});
    for (std::size_t c = 0; c < tile.queries; c += simd::width<T>) {
        T* const column = tile.data + c;
        const batch s = batch::load_aligned(shift + c);
        const std::size_t end = for_visible<T>(head, tile, c, [&](std::size_t j, auto const& valid) {
            T* const p = column + j * tile.stride;
            valid(simd::exp_not_positive<T>(batch::load_unaligned(p) - s), zero).store_unaligned(p);
        });
        for (std::size_t j = end; j < tile.keys; ++j) zero.store_unaligned(column + j * tile.stride);
    }
}

/// mean[query] = sum over keys of probability times gradient.
template <class T>
[[gnu::noinline]] void mean_gradients(score_tile<T> const& probability, score_tile<T> const& gradient, T* mean) {
    using batch = simd::batch<T>;
    for (std::size_t c = 0; c < gradient.queries; c += simd::width<T>) {
        batch even(T{0}), odd(T{0});
        std::size_t j = 0;
        const auto term = [&](std::size_t key, batch const& sum) {
            return simd::fma<T>(batch::load_unaligned(probability.data + key * probability.stride + c),
                                batch::load_unaligned(gradient.data + key * gradient.stride + c), sum);
        };
        for (; j + 2 <= gradient.keys; j += 2) {
            even = term(j, even);
            odd = term(j + 1, odd);
        }
        if (j < gradient.keys) even = term(j, even);
        (even + odd).store_aligned(mean + c);
    }
}

/// The softmax's gradient: gradient = probability * (gradient - mean) * scale.
template <class T>
[[gnu::noinline]] void score_gradients(score_tile<T> const& probability, score_tile<T> const& gradient, T const* mean,
                                       T scale) {
    using batch = simd::batch<T>;
    const batch s(scale);
    for (std::size_t c = 0; c < gradient.queries; c += simd::width<T>) {
        const batch m = batch::load_aligned(mean + c);
        for (std::size_t j = 0; j < gradient.keys; ++j) {
            T* const g = gradient.data + j * gradient.stride + c;
            const batch p = batch::load_unaligned(probability.data + j * probability.stride + c);
            (p * s * (batch::load_unaligned(g) - m)).store_unaligned(g);
        }
    }
}

}  // namespace tenet::kernel::detail
