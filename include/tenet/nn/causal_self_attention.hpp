// SPDX-License-Identifier: MIT
// nn: multi-head causal self-attention, with GPT-2's names.
#pragma once

#include <tenet/nn/linear.hpp>
#include <tenet/op/attention.hpp>

namespace tenet::nn {

/// The axis along which one projection holds queries, keys and values, in this order.
struct QKV : axis<3> {};

/// y = c_proj(softmax(q k^T / sqrt(HeadDim) + causal mask) v) with q, k, v = c_attn(x): [..., Time, Embed] to the same.
///
/// c_attn.weight is [Embed, QKV, Heads, HeadDim]: GPT-2's [n, 3n], whose columns are q, k, v, each head by head.
/// The fused kernel keeps no [Time, Time] matrix. Vaswani et al. (2017), eq. (1). transformers: GPT2Attention.
template <class Time, class Embed, class Heads, class HeadDim, bool Bias = with_bias>
struct causal_self_attention {
    linear<axes<Embed>, axes<QKV, Heads, HeadDim>, Bias> c_attn{};
    linear<axes<Heads, HeadDim>, axes<Embed>, Bias> c_proj{};

    constexpr auto operator()(auto const& x) const { return c_proj(causal_attention<Time, HeadDim, QKV>(c_attn(x))); }
};

}  // namespace tenet::nn
