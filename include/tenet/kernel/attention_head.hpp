// SPDX-License-Identifier: MIT
// kernel: attention of one head, forward and backward, over tiles of at most 64 keys and 64 queries. Up to 64 keys the
// probabilities are kept; beyond, only each query's log-sum-exp, from which the backward computes them again. What the
// products round is up to whoever calls.
// Sources: Vaswani et al., "Attention is all you need", 2017; Dao, "FlashAttention-2", 2023.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

#include <tenet/kernel/attention_products.hpp>
#include <tenet/kernel/gemm_vector.hpp>

namespace tenet::kernel::detail {

template <class T>
void fill_rows_with_zero(head_rows<T> x, std::size_t begin, std::size_t end, std::size_t n) {
    for (std::size_t i = begin; i < end; ++i) std::fill(x.row(i), x.row(i) + n, T{0});
}

/// Where the probabilities of `tile` lie: [key][query]. Kept ones are used in place when their rows are whole
/// registers.
template <class T>
score_tile<T> kept_tile(T* kept, T* scratch, std::size_t queries, score_tile<T> tile) {
    const bool in_place = kept != nullptr && tile.queries % simd::width<T> == 0;
    tile.data = in_place ? kept + tile.first_query : scratch;
    tile.stride = in_place ? queries : query_tile;
    return tile;
}

/// Forward of a single query: two passes over the keys' memory, nothing transposed. `lse` and `kept` may be null.
template <class T>
void attend_one(attention_head<T> const& head, head_rows<T const> q, head_rows<T const> k, head_rows<T const> v,
                head_rows<T> out, T* kept, T* lse) {
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>, most = key_tile * query_tile;
    constexpr T lowest = -std::numeric_limits<T>::infinity();
    attention_workspace<T>& w = tiles<T>();
    T* const scores = w.scores;
    const std::size_t keys = head.visible(0);
    T largest = lowest, sum = 0;
    for (std::size_t d = 0; d < head.size; ++d) {
        w.queries[d] = q.data[d] * head.scale;
        out.data[d] = T{0};
    }
    for (std::size_t j0 = 0; j0 < keys; j0 += most) {
        const std::size_t n = std::min(most, keys - j0), padded = round_up(n, width);
        row_times_columns<T>({1, n, head.size, {w.queries, 0, 1}, {k.row(j0), 1, k.stride}, {scores, 0, 1}, false});
        std::fill(scores + n, scores + padded, lowest);
        batch top(lowest);
        for (std::size_t j = 0; j < padded; j += width) top = simd::fast_max<T>(top, batch::load_aligned(scores + j));
        const T before = largest;
        largest = std::max(largest, simd::reduce_max<T>(top));
        batch total(T{0});
        for (std::size_t j = 0; j < padded; j += width) {
            const batch e = simd::exp_not_positive<T>(batch::load_aligned(scores + j) - batch(largest));
            total = total + e;
            e.store_aligned(scores + j);
        }
        if (j0 != 0) {
            const T factor = std::exp(before - largest);
            sum *= factor;
            scale_rows(out.data, 0, 1, head.size, &factor);
        }
        sum += simd::reduce_add<T>(total);
        row_times_rows<T>({1, head.size, n, {scores, 0, 1}, {v.row(j0), v.stride, 1}, {out.data, 0, 1}, true});
    }
    if (lse != nullptr) *lse = keys == 0 ? -lowest : largest + std::log(sum);
    if (keys == 0) return;
    const T inverse = T{1} / sum;
    scale_rows(out.data, 0, 1, head.size, &inverse);
    if (kept != nullptr)
        for (std::size_t j = 0; j < keys; ++j) kept[j] = scores[j] * inverse;
}

/// Forward of one head, by `products` (as attention_products). `kept` [keys][queries] takes the probabilities, `lse`
/// [queries] the log-sum-exps; each may be null, and `kept` is only for at most 64 keys.
template <class Products, class T = typename Products::real_type>
[[gnu::noinline]] void attend(attention_head<T> const& head, Products products, head_rows<T> out, T* kept, T* lse) {
    if constexpr (std::is_same_v<typename Products::operand_type, T>)
        if (head.queries == 1)
            return attend_one(head, products.queries(), products.keys(), products.values(), out, kept, lse);
    constexpr T lowest = -std::numeric_limits<T>::infinity();
    attention_workspace<T>& w = tiles<T>();
    const std::size_t step = head.queries_at_once();
    for (std::size_t i = 0; i < head.queries; i += step) {
        const std::size_t queries = std::min(step, head.queries - i);
        const std::size_t keys = head.visible(i + queries - 1);
        if (keys == 0) {
            fill_rows_with_zero(out, i, i + queries, head.size);
            if (lse != nullptr) std::fill(lse + i, lse + i + queries, -lowest);
            continue;
        }
        products.take_queries(i, queries);
        std::fill(w.largest, w.largest + query_tile, lowest);
        std::fill(w.sum, w.sum + query_tile, T{0});
        for (std::size_t j = 0; j < keys; j += key_tile) {
            const score_tile<T> tile =
                kept_tile(kept, w.scores, head.queries, {nullptr, 0, j, std::min(key_tile, keys - j), i, queries});
            products.scores(tile);
            softmax_step(head, tile, w);
            if (kept != nullptr) {
                invert_sums(w);
                scale_columns(tile, w.factor);
                if (tile.data == w.scores)
                    for (std::size_t key = 0; key < tile.keys; ++key)
                        std::copy_n(tile.data + key * tile.stride, queries, kept + key * head.queries + i);
            } else if (j != 0) {
                scale_rows(out.row(i), out.stride, queries, head.size, w.factor);
            }
            products.outputs(tile, out.from(i), j != 0);
        }
        if (kept != nullptr) continue;
        invert_sums(w);
        scale_rows(out.row(i), out.stride, queries, head.size, w.factor);
        if (lse == nullptr) continue;
        for (std::size_t c = 0; c < queries; ++c)
            lse[i + c] = w.sum[c] > T{0} ? w.largest[c] + std::log(w.sum[c]) : -lowest;
    }
}

template <class T>
struct attention_gradients {
    head_rows<T> q, k, v;
};

/// Backward of one head; gradients are overwritten, or those of k and v added to. Of `kept` and `lse` one is null, as
/// in the forward. Queries run from the last tile to the first: under a causal mask the last sees all keys, so that it
/// may write where the others add.
template <class Products, class T = typename Products::real_type>
[[gnu::noinline]] void attend_backward(attention_head<T> const& head, Products products, head_rows<T const> out,
                                       attention_gradients<T> const& d, T const* kept, T const* lse, bool add_to_keys) {
    attention_workspace<T>& w = tiles<T>();
    const std::size_t step = head.queries_at_once();
    const head_rows<T const> dout = products.output_gradients();
    bool first = true;
    for (std::size_t end = head.queries; end != 0;) {
        const std::size_t i = (end - 1) / step * step, queries = end - i;
        end = i;
        const std::size_t keys = head.visible(i + queries - 1);
        if (first && !add_to_keys) {
            fill_rows_with_zero(d.k, keys, head.keys, head.size);
            fill_rows_with_zero(d.v, keys, head.keys, head.size);
        }
        if (keys == 0) {
            fill_rows_with_zero(d.q, i, i + queries, head.size);
            first = false;
            continue;
        }
        products.take_gradients(i, queries);
        if (kept == nullptr) {
            products.take_queries(i, queries);
            for (std::size_t c = 0; c < queries; ++c) {
                dot_rows<1>(dout.row(i + c), out.row(i + c), 0, head.size, w.factor + c);
                w.largest[c] = lse[i + c];
            }
        }
        for (std::size_t j = 0; j < keys; j += key_tile) {
            const std::size_t count = std::min(key_tile, keys - j);
            const score_tile<T> gradient{w.gradients, query_tile, j, count, i, queries};
            score_tile<T> tile{w.scores, query_tile, j, count, i, queries};
            if (kept == nullptr) {
                products.scores(tile);
                probabilities_of(head, tile, w.largest);
            } else {
                // Read only: a tile has no constant twin.
                tile = kept_tile(const_cast<T*>(kept), w.scores, head.queries, tile);
                if (tile.data == w.scores)
                    for (std::size_t key = 0; key < count; ++key)
                        std::copy_n(kept + key * head.queries + i, queries, tile.data + key * tile.stride);
            }
            products.probability_gradients(gradient);
            if (kept != nullptr) mean_gradients(tile, gradient, w.factor);
            score_gradients(tile, gradient, w.factor, head.scale);
            products.value_gradients(tile, d.v.from(j), add_to_keys || !first);
            products.key_gradients(gradient, d.k.from(j), add_to_keys || !first);
            products.query_gradients(gradient, d.q.from(i), j != 0);
        }
        first = false;
    }
    if (head.queries == 0 && !add_to_keys) {
        fill_rows_with_zero(d.k, 0, head.keys, head.size);
        fill_rows_with_zero(d.v, 0, head.keys, head.size);
    }
}

}  // namespace tenet::kernel::detail
