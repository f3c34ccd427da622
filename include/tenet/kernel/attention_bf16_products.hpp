// SPDX-License-Identifier: MIT
// kernel: the products of attention within one head, of operands rounded to bfloat16 and added up in float: what
// attention_products.hpp is for one type. The loops over tiles, the softmax and what is saved are the same.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <tenet/kernel/attention_bf16_tile.hpp>

namespace tenet::kernel::detail {

/// As `attention_products<float>`, of queries, keys and values of type S: float or bfloat16. Keys and values are
/// rounded once a head where there is room.
template <class S>
class bf16_attention_products {
public:
    using real_type = float;
    using operand_type = S;

    bf16_attention_products(attention_head<float> const& head, head_rows<S const> q, head_rows<S const> k,
                            head_rows<S const> v, head_rows<float const> dout = {})
        : head_(head),
          q_(q),
          k_(k),
          v_(v),
          dout_(dout),
          size_(round_up(head.size, simd::width<float>)),
          pairs_((head.size + 1) / 2),
          key_rows_(head, r_.key_rows, key_tile * pairs_),
          key_columns_(head, r_.key_columns, key_tile / 2 * size_),
          value_rows_(head, r_.value_rows, key_tile * pairs_),
          value_columns_(head, r_.value_columns, key_tile / 2 * size_) {}

    head_rows<S const> queries() const { return q_; }
    head_rows<S const> keys() const { return k_; }
    head_rows<S const> values() const { return v_; }
    head_rows<float const> output_gradients() const { return dout_; }

    void take_queries(std::size_t first, std::size_t count) {
        padded_ = round_up(count, simd::width<float>);
        transpose_pairs(q_.after(first), count, head_.size, padded_, head_.scale, tiles<float>().queries,
                        r_.query_transposed);
    }
    void scores(score_tile<float> const& tile) { times_transposed(key_rows_, k_, r_.query_transposed, tile); }
    void outputs(score_tile<float> const& tile, matrix_view<float> out, bool add) {
        over_keys(value_columns_, v_, tile, out, add);
    }

    void take_gradients(std::size_t first, std::size_t count) {
        padded_ = round_up(count, simd::width<float>);
        transpose_pairs(dout_.after(first), count, head_.size, padded_, 1.0f, tiles<float>().outputs,
                        r_.output_transposed);
        pack_pair_columns(dout_.after(first), count, head_.size, size_, r_.output_columns);
        pack_pair_columns(q_.after(first), count, head_.size, size_, r_.query_columns);
    }
    void probability_gradients(score_tile<float> const& tile) {
        times_transposed(value_rows_, v_, r_.output_transposed, tile);
    }
    void value_gradients(score_tile<float> const& tile, matrix_view<float> dv, bool add) {
        over_queries(tile, r_.output_columns, dv, add);
    }
    void key_gradients(score_tile<float> const& tile, matrix_view<float> dk, bool add) {
        over_queries(tile, r_.query_columns, dk, add);
    }
    void query_gradients(score_tile<float> const& tile, matrix_view<float> dq, bool add) {
        over_keys(key_columns_, k_, tile, dq, add);
    }

private:
    bf16_attention_workspace& r_ = bf16_tiles();
    attention_head<float> head_;
    head_rows<S const> q_, k_, v_;
    head_rows<float const> dout_;
    std::size_t size_, pairs_;  // a row of the head in whole registers, and in pairs
    std::size_t padded_ = 0;    // queries taken, in whole registers
    rounded_tiles key_rows_, key_columns_, value_rows_, value_columns_;

    void times_transposed(rounded_tiles& rows, head_rows<S const> x, std::uint32_t const* transposed,
                          score_tile<float> const& tile) {
        std::uint32_t const* const left =
            rows.at(tile.first_key, [&](std::size_t first, std::size_t count, std::uint32_t* to) {
                pack_pair_rows(x.after(first), count, head_.size, to, pairs_);
            });
        bf16_tile_gemm(tile.keys, padded_, pairs_, {left, static_cast<std::ptrdiff_t>(pairs_), 1}, transposed, padded_,
                       {tile.data, static_cast<std::ptrdiff_t>(tile.stride), 1}, false);
    }
    void over_keys(rounded_tiles& columns, head_rows<S const> x, score_tile<float> const& tile, matrix_view<float> c,
                   bool add) {
        std::uint32_t const* const right =
            columns.at(tile.first_key, [&](std::size_t first, std::size_t count, std::uint32_t* to) {
                pack_pair_columns(x.after(first), count, head_.size, size_, to);
            });
        bf16_tile_gemm(tile.queries, head_.size, (tile.keys + 1) / 2, round_columns(tile), right, size_, c, add);
    }
    void over_queries(score_tile<float> const& tile, std::uint32_t const* columns, matrix_view<float> c, bool add) {
        bf16_tile_gemm(tile.keys, head_.size, (tile.queries + 1) / 2, round_rows(tile), columns, size_, c, add);
    }
};

}  // namespace tenet::kernel::detail
