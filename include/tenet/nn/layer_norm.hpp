// SPDX-License-Identifier: MIT
// nn: layer normalisation with its gain and bias. The layer is nn::layer_norm, the operation tenet::layer_norm.
#pragma once

#include <tenet/nn/axes_argument.hpp>
#include <tenet/nn/linear.hpp>

namespace tenet::nn {

/// y = (x - mean) / sqrt(variance + eps) * weight + bias over the axis `A`, or over several: `layer_norm<axes<A, B>>`.
///
/// x [..., A...] keeps its axes; weight and bias are [A...]; the variance is the biased one.
/// Ba, Kiros, Hinton: Layer Normalization (2016). PyTorch: torch.nn.LayerNorm.
template <class A, bool Bias = with_bias>
struct layer_norm {
    typename detail::axes_argument<A>::parameter_type weight{};
    typename detail::axes_argument<A>::parameter_type bias{};
    double eps = 1e-5;

    constexpr auto operator()(auto const& x) const {
        return tenet::detail::apply(typename detail::axes_argument<A>::layer_norm_function{eps}, x, weight, bias);
    }
};

/// The same without a bias, as nanoGPT has it. PyTorch: torch.nn.LayerNorm(bias=False).
template <class A>
struct layer_norm<A, no_bias> {
    typename detail::axes_argument<A>::parameter_type weight{};
    double eps = 1e-5;

    constexpr auto operator()(auto const& x) const {
        return tenet::detail::apply(typename detail::axes_argument<A>::layer_norm_function{eps}, x, weight);
    }
};

}  // namespace tenet::nn
