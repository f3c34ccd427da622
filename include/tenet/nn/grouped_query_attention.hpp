// SPDX-License-Identifier: MIT
// nn: causal self-attention whose query heads share keys and values, with rotary positions and Llama's names.
#pragma once

#include <tenet/nn/linear.hpp>
#include <tenet/op/attention.hpp>
#include <tenet/op/rotary.hpp>

namespace tenet::nn {

/// y = o_proj(causal attention of rotary(q), rotary(k), v) with q, k, v = q_proj(x), k_proj(x), v_proj(x):
/// x [..., Time, Embed] and positions (int32, e.g. [Batch, Time]) to [..., Time, Embed].
///
/// There are KeyHeads x Group heads of queries and KeyHeads of keys and values; a `Group` of extent 1 is multi-head
/// attention, a `KeyHeads` of 1 multi-query attention. `Time` may be `sequence`. Weights are [out, in], query heads of
/// one group side by side, as in Hugging Face's and llama2.c's files.
/// Ainslie et al.: GQA (2023); Su et al.: RoFormer (2021). transformers: LlamaAttention.
template <class Time, class Embed, class KeyHeads, class Group, class HeadDim,
          rotary_pairs Pairs = rotary_pairs::halves>
struct grouped_query_attention {
    linear<axes<Embed>, axes<KeyHeads, Group, HeadDim>, no_bias, weight_layout::out_in> q_proj{};
    linear<axes<Embed>, axes<KeyHeads, HeadDim>, no_bias, weight_layout::out_in> k_proj{};
    linear<axes<Embed>, axes<KeyHeads, HeadDim>, no_bias, weight_layout::out_in> v_proj{};
    linear<axes<KeyHeads, Group, HeadDim>, axes<Embed>, no_bias, weight_layout::out_in> o_proj{};
    double rotary_base = 10000;

    constexpr auto operator()(auto const& x, auto const& positions) const {
        const auto q = rotary<HeadDim, Pairs>(q_proj(x), positions, rotary_base);
        const auto k = rotary<HeadDim, Pairs>(k_proj(x), positions, rotary_base);
        return o_proj(causal_attention<Time, HeadDim, Group>(q, k, v_proj(x)));
    }
};

}  // namespace tenet::nn
