// SPDX-License-Identifier: MIT
// nn: the affine layer. The axes that it takes away and those that it makes are named, so that heads need no reshape.
#pragma once

#include <tenet/op/arithmetic.hpp>
#include <tenet/op/dot.hpp>

namespace tenet::nn {

/// Whether a layer adds a bias: the last argument of `linear`, `layer_norm` and of what is made of them.
inline constexpr bool with_bias = true, no_bias = false;

/// How a linear layer's weight lies: [in, out] as in GPT-2's files, or [out, in] as in PyTorch's.
enum class weight_layout { in_out, out_in };

template <class In, class Out, bool Bias = with_bias, weight_layout Layout = weight_layout::in_out>
struct linear;

/// y = sum over `I...` of x weight, plus bias: [..., I...] to [..., O...].
///
/// weight [I..., O...] and bias [O...]: as files, [in, out] and [out], which is GPT-2's layout; with
/// `weight_layout::out_in` the weight is [O..., I...], as PyTorch's files have it. Products are by name, so that the
/// model's code is the same. x may have its axes anywhere. An axis may not be on both sides: name the output's axis
/// differently.
/// Cost: one matrix product. PyTorch: torch.nn.Linear.
///
///     nn::linear<axes<Embed>, axes<QKV, Heads, HeadDim>> c_attn;
template <class... I, class... O>
struct linear<axes<I...>, axes<O...>, with_bias, weight_layout::in_out> {
    static constexpr int contracted_axes = sizeof...(I);
    parameter<I..., O...> weight{};
    parameter<O...> bias{};

    constexpr auto operator()(auto const& x) const { return dot<I...>(x, weight) + bias; }
};

/// The same without a bias. PyTorch: torch.nn.Linear(bias=False).
template <class... I, class... O>
struct linear<axes<I...>, axes<O...>, no_bias, weight_layout::in_out> {
    static constexpr int contracted_axes = sizeof...(I);
    parameter<I..., O...> weight{};

    constexpr auto operator()(auto const& x) const { return dot<I...>(x, weight); }
};

template <class... I, class... O>
struct linear<axes<I...>, axes<O...>, with_bias, weight_layout::out_in> {
    static constexpr int contracted_axes = sizeof...(I);
    static constexpr bool outputs_first = true;
    parameter<O..., I...> weight{};
    parameter<O...> bias{};

    constexpr auto operator()(auto const& x) const { return dot<I...>(x, weight) + bias; }
};
template <class... I, class... O>
struct linear<axes<I...>, axes<O...>, no_bias, weight_layout::out_in> {
    static constexpr int contracted_axes = sizeof...(I);
    static constexpr bool outputs_first = true;
    parameter<O..., I...> weight{};

    constexpr auto operator()(auto const& x) const { return dot<I...>(x, weight); }
};

}  // namespace tenet::nn
