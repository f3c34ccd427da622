// SPDX-License-Identifier: MIT
// align: means over what a mask keeps, and the entropy and divergence of next-token distributions.
#pragma once

#include <tenet/align/operand_axes.hpp>
#include <tenet/op/comparison.hpp>
#include <tenet/op/exponential.hpp>
#include <tenet/op/extremum.hpp>
#include <tenet/op/reduce.hpp>
#include <tenet/op/softmax.hpp>

namespace tenet {

/// sum over `K...` (all axes if none is named) of x where the mask holds, divided by how often it holds; 0 if never.
/// What the mask hides has no gradient, be it NaN.
template <class... K, Operand X, Operand Mask>
constexpr auto masked_mean(X const& x, Mask const& mask) {
    return sum<K...>(where(mask, x, 0.0)) / maximum(sum<K...>(mask), 1.0);
}

/// H = -sum p ln p of p = softmax(x) over `A`, computed as logsumexp(x) - sum p x: [..., A] to [...].
/// dx = -p (ln p + H). PyTorch: torch.distributions.Categorical(logits=x).entropy().
template <class A, Operand X>
constexpr auto categorical_entropy(X const& x) {
    const auto logp = log_softmax<A>(x);
    return -sum<A>(exp(logp) * logp);
}

/// KL(p || q) = sum p (ln p - ln q) of p = softmax(x), q = softmax(y) over `A`: exact, where `kl_estimate`
/// (align/kl.hpp) looks at one sampled token. dx = p (ln p - ln q - KL). PyTorch: kl_div(log q, log p,
/// log_target=True).
template <class A, Operand X, Operand Y>
constexpr auto categorical_kl(X const& x, Y const& y) {
    const auto logp = log_softmax<A>(x);
    return sum<A>(exp(logp) * (logp - log_softmax<A>(y)));
}

}  // namespace tenet
