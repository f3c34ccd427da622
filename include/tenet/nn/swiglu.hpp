// SPDX-License-Identifier: MIT
// nn: the gated feed-forward part of a Llama block, with Llama's names.
#pragma once

#include <tenet/nn/linear.hpp>
#include <tenet/op/activation.hpp>

namespace tenet::nn {

/// y = down_proj(tenet::silu(gate_proj(x)) * up_proj(x)): [..., Embed] to [..., Hidden] and back. Weights are [out,
/// in].
///
/// Cost: three matrix products. Shazeer: GLU Variants Improve Transformer (2020), eq. (6). transformers: LlamaMLP.
template <class Embed, class Hidden>
struct swiglu {
    linear<axes<Embed>, axes<Hidden>, no_bias, weight_layout::out_in> gate_proj{};
    linear<axes<Embed>, axes<Hidden>, no_bias, weight_layout::out_in> up_proj{};
    linear<axes<Hidden>, axes<Embed>, no_bias, weight_layout::out_in> down_proj{};

    constexpr auto operator()(auto const& x) const { return down_proj(tenet::silu(gate_proj(x)) * up_proj(x)); }
};

}  // namespace tenet::nn
