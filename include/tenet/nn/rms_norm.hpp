// SPDX-License-Identifier: MIT
// nn: root-mean-square normalisation with its gain. The layer is nn::rms_norm, the operation tenet::rms_norm.
#pragma once

#include <tenet/nn/axes_argument.hpp>

namespace tenet::nn {

/// y = x / sqrt(mean(x^2) + eps) * weight over the axis `A`, or over several: `rms_norm<axes<A, B>>`.
///
/// x [..., A...] keeps its axes; weight is [A...].
/// Zhang, Sennrich: Root Mean Square Layer Normalization (2019), eq. (4). PyTorch: torch.nn.RMSNorm(eps=1e-5).
template <class A>
struct rms_norm {
    typename detail::axes_argument<A>::parameter_type weight{};
    double eps = 1e-5;

    constexpr auto operator()(auto const& x) const {
        return tenet::detail::apply(typename detail::axes_argument<A>::rms_norm_function{eps}, x, weight);
    }
};

}  // namespace tenet::nn
