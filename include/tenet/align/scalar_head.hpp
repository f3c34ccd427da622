// SPDX-License-Identifier: MIT
// align: one number from a model's features: the reward of a text, or the value of a position; and where it is read.
#pragma once

#include <tenet/op/arithmetic.hpp>
#include <tenet/op/dot.hpp>
#include <tenet/op/gather.hpp>

namespace tenet {
namespace nn {

/// y = sum over `Embed` of x weight, plus bias: [..., Embed] to [...]. On the features of the last token it is a reward
/// (the bias is what `reward_scale` moves), on every position a value function. First values: zeros, so that values
/// begin at 0, or N(0, 1/(Embed + 1)) as Stiennon et al. (2020) draw a reward's.
/// PyTorch: torch.nn.Linear(embed, 1), squeezed.
template <class Embed>
struct scalar_head {
    static constexpr int contracted_axes = 1;
    parameter<Embed> weight{};
    parameter<> bias{};

    constexpr auto operator()(auto const& x) const { return dot<Embed>(x, weight) + bias; }
};

}  // namespace nn

/// x at each row's last token: [rows..., Time, ...] and `last` [rows...] (int32) to [rows..., ...]. `last` comes from
/// lengths (`completion_batch::last`), never from a search for the padding token: that one may be the end-of-text
/// token, which is a real token too. PyTorch: x[arange(batch), last].
template <class Time, Operand X, Operand Last>
constexpr auto last_token(X const& x, Last const& last) {
    return gather<Time>(x, last);
}

}  // namespace tenet
