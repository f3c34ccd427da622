// SPDX-License-Identifier: MIT
// nn: activations as types, for layers that take one as an argument. Any struct with such a call operator serves.
#pragma once

#include <tenet/op/activation.hpp>

namespace tenet::nn {

/// max(x, 0). PyTorch: torch.nn.ReLU.
struct relu {
    constexpr auto operator()(auto const& x) const { return tenet::relu(x); }
};
/// x sigmoid(x). PyTorch: torch.nn.SiLU.
struct silu {
    constexpr auto operator()(auto const& x) const { return tenet::silu(x); }
};
/// GELU by tanh, as GPT-2. PyTorch: torch.nn.GELU(approximate="tanh").
struct gelu {
    constexpr auto operator()(auto const& x) const { return tenet::gelu(x); }
};
/// GELU by erf, as nanoGPT and BERT. PyTorch: torch.nn.GELU.
struct gelu_erf {
    constexpr auto operator()(auto const& x) const { return tenet::gelu_erf(x); }
};

}  // namespace tenet::nn
