// SPDX-License-Identifier: MIT
// nn: the feed-forward part of a transformer block, with GPT-2's names.
#pragma once

#include <tenet/nn/activation.hpp>
#include <tenet/nn/linear.hpp>

namespace tenet::nn {

/// y = c_proj(Activation(c_fc(x))): [..., Embed] to [..., Hidden] and back.
///
/// `Hidden` is 4 times as wide in GPT-2. Cost: two matrix products.
/// Vaswani et al.: Attention Is All You Need (2017), eq. (2). transformers: GPT2MLP.
template <class Embed, class Hidden, class Activation = gelu, bool Bias = with_bias>
struct feed_forward {
    linear<axes<Embed>, axes<Hidden>, Bias> c_fc{};
    linear<axes<Hidden>, axes<Embed>, Bias> c_proj{};

    constexpr auto operator()(auto const& x) const { return c_proj(Activation{}(c_fc(x))); }
};

}  // namespace tenet::nn
