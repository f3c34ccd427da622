// SPDX-License-Identifier: MIT
// kernel: the backward of attention in bfloat16 products, in a header of its own for programs that only run forward.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <tenet/kernel/attention_backward.hpp>
#include <tenet/kernel/attention_bf16.hpp>

namespace tenet::kernel {
namespace detail {

/// As `attend_backward`.
[[gnu::noinline]] inline void attend_backward_bf16(attention_head<float> const& head, head_rows<float const> q,
                                                   head_rows<float const> k, head_rows<float const> v,
                                                   head_rows<float const> out, head_rows<float const> dout,
                                                   attention_gradients<float> const& d, float const* kept,
                                                   float const* lse, bool add_to_keys) {
    attention_workspace<float>& w = tiles<float>();
    bf16_attention_workspace& r = bf16_tiles();
    const std::size_t step = head.queries_at_once(), padded_size = round_up(head.size, simd::width<float>);
    const std::size_t pairs = (head.size + 1) / 2;
    const auto row_stride = static_cast<std::ptrdiff_t>(pairs);
    rounded_tiles keys_of(head, r.key_rows, key_tile * pairs), values_of(head, r.value_rows, key_tile * pairs);
    rounded_tiles key_columns_of(head, r.key_columns, key_tile / 2 * padded_size);
    const auto in_rows = [&](head_rows<float const> x) {
        return [=, size = head.size](std::size_t first, std::size_t count, std::uint32_t* to) {
            pack_pair_rows(x.after(first), count, size, to, pairs);
        };
    };
    bool first = true;
    for (std::size_t end = head.queries; end != 0;) {
        const std::size_t i = (end - 1) / step * step, queries = end - i, query_steps = (queries + 1) / 2;
        const std::size_t padded = round_up(queries, simd::width<float>);
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
        transpose_pairs(dout.after(i), queries, head.size, padded, 1.0f, w.outputs, r.output_transposed);
        pack_pair_columns(dout.after(i), queries, head.size, padded_size, r.output_columns);
        pack_pair_columns(q.after(i), queries, head.size, padded_size, r.query_columns);
        if (kept == nullptr) {
            transpose_pairs(q.after(i), queries, head.size, padded, head.scale, w.queries, r.query_transposed);
            for (std::size_t c = 0; c < queries; ++c) {
                dot_rows<1>(dout.row(i + c), out.row(i + c), 0, head.size, w.factor + c);
                w.largest[c] = lse[i + c];
            }
        }
        for (std::size_t j = 0; j < keys; j += key_tile) {
            const std::size_t count = std::min(key_tile, keys - j), key_steps = (count + 1) / 2;
            const score_tile<float> gradient{w.gradients, query_tile, j, count, i, queries};
            score_tile<float> tile{w.scores, query_tile, j, count, i, queries};
            if (kept == nullptr) {
                bf16_tile_gemm(count, padded, pairs, {keys_of.at(j, in_rows(k)), row_stride, 1}, r.query_transposed,
                               padded, {tile.data, query_tile, 1}, false);
                probabilities_of(head, tile, w.largest);
            } else {
                // Read only: a tile has no constant twin.
                tile = kept_tile(const_cast<float*>(kept), w.scores, head.queries, count, i, queries);
                if (tile.data == w.scores)
                    for (std::size_t key = 0; key < count; ++key)
                        std::copy_n(kept + key * head.queries + i, queries, tile.data + key * tile.stride);
            }
            bf16_tile_gemm(count, padded, pairs, {values_of.at(j, in_rows(v)), row_stride, 1}, r.output_transposed,
                           padded, {gradient.data, query_tile, 1}, false);
            if (kept != nullptr) mean_gradients(tile, gradient, w.factor);
            score_gradients(tile, gradient, w.factor, head.scale);
            const bool add = add_to_keys || !first;
            bf16_tile_gemm(count, head.size, query_steps, round_rows(tile), r.output_columns, padded_size, d.v.from(j),
                           add);
            bf16_tile_gemm(count, head.size, query_steps, round_rows(gradient), r.query_columns, padded_size,
                           d.k.from(j), add);
            std::uint32_t const* const key =
                key_columns_of.at(j, [&](std::size_t from, std::size_t rows, std::uint32_t* to) {
                    pack_pair_columns(k.after(from), rows, head.size, padded_size, to);
                });
            bf16_tile_gemm(queries, head.size, key_steps, round_columns(gradient), key, padded_size, d.q.from(i),
                           j != 0);
        }
        first = false;
    }
    if (head.queries == 0 && !add_to_keys) {
        fill_rows_with_zero(d.k, 0, head.keys, head.size);
        fill_rows_with_zero(d.v, 0, head.keys, head.size);
    }
}

}  // namespace detail

/// Gradients of `attention_bf16`. Arguments are those of `attention_backward`.
///
/// Rounded are q (and scale * q), k, v, dout, the probabilities and their gradients, each before a product; sums,
/// the softmax's gradient and the results are float.
template <attention_mask Mask>
void attention_backward_bf16(auto B, auto Tq, auto S, auto H, auto D, attention_operand<float const> q,
                             attention_operand<float const> k, attention_operand<float const> v,
                             attention_operand<float const> out, attention_operand<float const> dout,
                             attention_operand<float> dq, attention_operand<float> dk, attention_operand<float> dv,
                             float const* saved, float scale, std::int32_t const* key_lengths,
                             std::size_t capacity_of_s = 0, std::size_t group = 1) {
    const std::size_t s = S;
    const detail::attention_sizes n{
        B, Tq, s, H, D, capacity_of_s == 0 ? s : capacity_of_s, key_lengths, Mask == attention_mask::causal, group};
    detail::for_heads(n, [&](std::size_t b, std::size_t h, std::size_t i) {
        using namespace detail;
        const std::size_t kh = h / group;  // its keys' gradient is the sum over the group
        attend_backward_bf16(head_of(n, b, scale), rows_of(q, b, h), rows_of(k, b, kh), rows_of(v, b, kh),
                             rows_of(out, b, h), rows_of(dout, b, h),
                             {rows_of(dq, b, h), rows_of(dk, b, kh), rows_of(dv, b, kh)}, kept_of(n, saved, i),
                             lse_of(n, saved, i), h % group != 0);
    });
}

}  // namespace tenet::kernel
