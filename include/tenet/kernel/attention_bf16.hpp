// SPDX-License-Identifier: MIT
// kernel: multi-head attention whose products round their operands to bfloat16 and add up in float; the softmax is
// float's. Loops, tiles and what is saved are those of attention.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <tenet/kernel/attention.hpp>
#include <tenet/kernel/attention_bf16_tile.hpp>

namespace tenet::kernel {
namespace detail {

/// As `attend`.
[[gnu::noinline]] inline void attend_bf16(attention_head<float> const& head, head_rows<float const> q,
                                          head_rows<float const> k, head_rows<float const> v, head_rows<float> out,
                                          float* kept, float* lse) {
    if (head.queries == 1) return attend_one(head, q, k, v, out, kept, lse);
    constexpr float lowest = -std::numeric_limits<float>::infinity();
    attention_workspace<float>& w = tiles<float>();
    bf16_attention_workspace& r = bf16_tiles();
    const std::size_t step = head.queries_at_once(), padded_size = round_up(head.size, simd::width<float>);
    const std::size_t pairs = (head.size + 1) / 2;
    rounded_tiles keys_of(head, r.key_rows, key_tile * pairs);
    rounded_tiles values_of(head, r.value_columns, key_tile / 2 * padded_size);
    for (std::size_t i = 0; i < head.queries; i += step) {
        const std::size_t queries = std::min(step, head.queries - i), padded = round_up(queries, simd::width<float>);
        const std::size_t keys = head.visible(i + queries - 1);
        if (keys == 0) {
            fill_rows_with_zero(out, i, i + queries, head.size);
            if (lse != nullptr) std::fill(lse + i, lse + i + queries, -lowest);
            continue;
        }
        transpose_pairs(q.after(i), queries, head.size, padded, head.scale, w.queries, r.query_transposed);
        std::fill(w.largest, w.largest + query_tile, lowest);
        std::fill(w.sum, w.sum + query_tile, 0.0f);
        for (std::size_t j = 0; j < keys; j += key_tile) {
            score_tile<float> tile = kept_tile(kept, w.scores, head.queries, std::min(key_tile, keys - j), i, queries);
            tile.first_key = j;
            const pair_rows key{
                keys_of.at(j, [&](std::size_t first, std::size_t count,
                                  std::uint32_t* to) { pack_pair_rows(k.after(first), count, head.size, to, pairs); }),
                static_cast<std::ptrdiff_t>(pairs), 1};
            bf16_tile_gemm(tile.keys, padded, pairs, key, r.query_transposed, padded,
                           {tile.data, static_cast<std::ptrdiff_t>(tile.stride), 1}, false);
            softmax_step(head, tile, w);
            if (kept != nullptr) {
                invert_sums(w);
                scale_columns(tile, w.factor);
                if (tile.data == w.scores)
                    for (std::size_t key_at = 0; key_at < tile.keys; ++key_at)
                        std::copy_n(tile.data + key_at * tile.stride, queries, kept + key_at * head.queries + i);
            } else if (j != 0) {
                scale_rows(out.row(i), out.stride, queries, head.size, w.factor);
            }
            std::uint32_t const* const value =
                values_of.at(j, [&](std::size_t first, std::size_t count, std::uint32_t* to) {
                    pack_pair_columns(v.after(first), count, head.size, padded_size, to);
                });
            bf16_tile_gemm(queries, head.size, (tile.keys + 1) / 2, round_columns(tile), value, padded_size,
                           out.from(i), j != 0);
        }
        if (kept != nullptr) continue;
        invert_sums(w);
        scale_rows(out.row(i), out.stride, queries, head.size, w.factor);
        if (lse == nullptr) continue;
        for (std::size_t c = 0; c < queries; ++c)
            lse[i + c] = w.sum[c] > 0.0f ? w.largest[c] + std::log(w.sum[c]) : -lowest;
    }
}

}  // namespace detail

/// `attention` with products of operands rounded to bfloat16, added up in float. Arguments are those of `attention`.
///
/// Rounded are scale * q, k, v and the probabilities (before they are divided by their sum, beyond 64 keys); the
/// softmax, its sums and the result are float. A single query is computed in float as a whole. Cost: about two thirds
/// of `attention` where the processor has AVX512_BF16.
/// PyTorch: scaled_dot_product_attention under torch.autocast("cpu", torch.bfloat16), with a float result.
template <attention_mask Mask>
void attention_bf16(auto B, auto Tq, auto S, auto H, auto D, attention_operand<float const> q,
                    attention_operand<float const> k, attention_operand<float const> v, attention_operand<float> out,
                    float* saved, float scale, std::int32_t const* key_lengths, std::size_t capacity_of_s = 0,
                    std::size_t group = 1) {
    const std::size_t s = S;
    const detail::attention_sizes n{
        B, Tq, s, H, D, capacity_of_s == 0 ? s : capacity_of_s, key_lengths, Mask == attention_mask::causal, group};
    detail::for_heads(n, [&](std::size_t b, std::size_t h, std::size_t i) {
        using namespace detail;
        attend_bf16(head_of(n, b, scale), rows_of(q, b, h), rows_of(k, b, h / group), rows_of(v, b, h / group),
                    rows_of(out, b, h), kept_of(n, saved, i), lse_of(n, saved, i));
    });
}

}  // namespace tenet::kernel
