// SPDX-License-Identifier: MIT
// nn: the pre-normalised transformer block of GPT-2, with its names.
#pragma once

#include <tenet/nn/causal_self_attention.hpp>
#include <tenet/nn/feed_forward.hpp>
#include <tenet/nn/layer_norm.hpp>

namespace tenet::nn {

/// y = x + attn(ln_1(x)); result y + mlp(ln_2(y)): [..., Time, Embed] to the same, so that it stacks:
/// `stack<nn::transformer_block<Time, Embed, Heads, HeadDim, Hidden>, 12> h;`
///
/// Radford et al.: Language Models are Unsupervised Multitask Learners (2019), section 2.3. transformers: GPT2Block.
template <class Time, class Embed, class Heads, class HeadDim, class Hidden, class Activation = gelu,
          bool Bias = with_bias>
struct transformer_block {
    layer_norm<Embed, Bias> ln_1{};
    causal_self_attention<Time, Embed, Heads, HeadDim, Bias> attn{};
    layer_norm<Embed, Bias> ln_2{};
    feed_forward<Embed, Hidden, Activation, Bias> mlp{};

    constexpr auto operator()(auto const& x) const {
        const auto y = x + attn(ln_1(x));
        return y + mlp(ln_2(y));
    }
};

}  // namespace tenet::nn
