// SPDX-License-Identifier: MIT
// kernel: attention of one head, forward and backward, over tiles of at most 64 keys and 64 queries. Up to 64 keys the
// probabilities are kept; beyond, only each query's log-sum-exp, from which the backward computes them again.
// Sources: Vaswani et al., "Attention is all you need", 2017; Dao, "FlashAttention-2", 2023.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include <tenet/kernel/attention_tile.hpp>
#include <tenet/kernel/gemm_vector.hpp>

namespace tenet::kernel::detail {

/// Rows of one operand of one head: `data` of the first, elements between two.
template <class T>
struct head_rows {
    T* data;
    std::ptrdiff_t stride;

    T* row(std::size_t i) const { return data + static_cast<std::ptrdiff_t>(i) * stride; }
    matrix_view<T> from(std::size_t i) const { return {row(i), stride, 1}; }
    head_rows after(std::size_t i) const { return {row(i), stride}; }
};

template <class T>
void fill_rows_with_zero(head_rows<T> x, std::size_t begin, std::size_t end, std::size_t n) {
    for (std::size_t i = begin; i < end; ++i) std::fill(x.row(i), x.row(i) + n, T{0});
}

template <class T>
matrix_view<T const> as_rows(score_tile<T> const& tile) {
    return {tile.data, static_cast<std::ptrdiff_t>(tile.stride), 1};
}
template <class T>
matrix_view<T const> as_columns(score_tile<T> const& tile) {
    return {tile.data, 1, static_cast<std::ptrdiff_t>(tile.stride)};
}

/// Where the probabilities of a head lie: [key][query]. Kept ones are used in place when their rows are whole
/// registers.
template <class T>
score_tile<T> kept_tile(T* kept, T* scratch, std::size_t queries, std::size_t keys, std::size_t first,
                        std::size_t count) {
    if (kept != nullptr && count % simd::width<T> == 0) return {kept + first, queries, 0, keys, first, count};
    return {scratch, query_tile, 0, keys, first, count};
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

/// Forward of one head. `kept` [keys][queries] takes the probabilities, `lse` [queries] the log-sum-exps; each may be
/// null, and `kept` is only for at most 64 keys.
template <class T>
[[gnu::noinline]] void attend(attention_head<T> const& head, head_rows<T const> q, head_rows<T const> k,
                              head_rows<T const> v, head_rows<T> out, T* kept, T* lse) {
    if (head.queries == 1) return attend_one(head, q, k, v, out, kept, lse);
    constexpr T lowest = -std::numeric_limits<T>::infinity();
    attention_workspace<T>& w = tiles<T>();
    const std::size_t step = head.queries_at_once();
    for (std::size_t i = 0; i < head.queries; i += step) {
        const std::size_t queries = std::min(step, head.queries - i), padded = round_up(queries, simd::width<T>);
        const std::size_t keys = head.visible(i + queries - 1);
        if (keys == 0) {
            fill_rows_with_zero(out, i, i + queries, head.size);
            if (lse != nullptr) std::fill(lse + i, lse + i + queries, -lowest);
            continue;
        }
        transpose_rows(q.row(i), q.stride, queries, head.size, padded, head.scale, w.queries);
        std::fill(w.largest, w.largest + query_tile, lowest);
        std::fill(w.sum, w.sum + query_tile, T{0});
        for (std::size_t j = 0; j < keys; j += key_tile) {
            score_tile<T> tile = kept_tile(kept, w.scores, head.queries, std::min(key_tile, keys - j), i, queries);
            tile.first_key = j;
            tile_gemm<T>(tile.keys, padded, head.size, k.from(j), {w.queries, static_cast<std::ptrdiff_t>(padded), 1},
                         {tile.data, static_cast<std::ptrdiff_t>(tile.stride), 1}, false);
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
            tile_gemm<T>(queries, head.size, tile.keys, as_columns(tile), v.from(j), out.from(i), j != 0);
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
template <class T>
[[gnu::noinline]] void attend_backward(attention_head<T> const& head, head_rows<T const> q, head_rows<T const> k,
                                       head_rows<T const> v, head_rows<T const> out, head_rows<T const> dout,
                                       attention_gradients<T> const& d, T const* kept, T const* lse,
                                       bool add_to_keys = false) {
    attention_workspace<T>& w = tiles<T>();
    const std::size_t step = head.queries_at_once();
    bool first = true;
    for (std::size_t end = head.queries; end != 0;) {
        const std::size_t i = (end - 1) / step * step, queries = end - i, padded = round_up(queries, simd::width<T>);
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
        transpose_rows(dout.row(i), dout.stride, queries, head.size, padded, T{1}, w.outputs);
        if (kept == nullptr) {
            transpose_rows(q.row(i), q.stride, queries, head.size, padded, head.scale, w.queries);
            for (std::size_t c = 0; c < queries; ++c) {
                dot_rows<1>(dout.row(i + c), out.row(i + c), 0, head.size, w.factor + c);
                w.largest[c] = lse[i + c];
            }
        }
        const auto transposed_stride = static_cast<std::ptrdiff_t>(padded);
        for (std::size_t j = 0; j < keys; j += key_tile) {
            const std::size_t count = std::min(key_tile, keys - j);
            const score_tile<T> gradient{w.gradients, query_tile, j, count, i, queries};
            score_tile<T> tile{w.scores, query_tile, j, count, i, queries};
            if (kept == nullptr) {
                tile_gemm<T>(count, padded, head.size, k.from(j), {w.queries, transposed_stride, 1},
                             {tile.data, query_tile, 1}, false);
                probabilities_of(head, tile, w.largest);
            } else {
                // Read only: a tile has no constant twin.
                tile = kept_tile(const_cast<T*>(kept), w.scores, head.queries, count, i, queries);
                if (tile.data == w.scores)
                    for (std::size_t key = 0; key < count; ++key)
                        std::copy_n(kept + key * head.queries + i, queries, tile.data + key * tile.stride);
            }
            tile_gemm<T>(count, padded, head.size, v.from(j), {w.outputs, transposed_stride, 1},
                         {gradient.data, query_tile, 1}, false);
            if (kept != nullptr) mean_gradients(tile, gradient, w.factor);
            score_gradients(tile, gradient, w.factor, head.scale);
            tile_gemm<T>(count, head.size, queries, as_rows(tile), dout.from(i), d.v.from(j), add_to_keys || !first);
            tile_gemm<T>(count, head.size, queries, as_rows(gradient), q.from(i), d.k.from(j), add_to_keys || !first);
            tile_gemm<T>(queries, head.size, count, as_columns(gradient), k.from(j), d.q.from(i), j != 0);
        }
        first = false;
    }
    if (head.queries == 0 && !add_to_keys) {
        fill_rows_with_zero(d.k, 0, head.keys, head.size);
        fill_rows_with_zero(d.v, 0, head.keys, head.size);
    }
}

}  // namespace tenet::kernel::detail
