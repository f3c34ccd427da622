// SPDX-License-Identifier: MIT
// nn: dropout as a member of a model.
#pragma once

#include <tenet/op/dropout.hpp>

namespace tenet::nn {

/// In a training program y = x / (1 - rate) with probability 1 - rate, else 0; in others y = x.
///
/// The rate belongs to the model's code: `nn::dropout drop{.rate = 0.2};`. A rate of 0 leaves no trace in the program.
/// Srivastava et al.: Dropout (2014). PyTorch: torch.nn.Dropout.
struct dropout {
    double rate = 0.1;

    constexpr auto operator()(auto const& x) const { return tenet::dropout(x, rate); }
};

}  // namespace tenet::nn
