// SPDX-License-Identifier: MIT
// A GPT of two small layers, for tests of adapters.
#pragma once

#include "../../support/program_check.hpp"

#include <tenet/nn.hpp>

namespace small_gpt {

using namespace tenet;

struct Batch : at_most<4> {};
struct Time : axis<5> {};
struct Vocab : axis<11> {};
struct Embed : axis<8> {};
struct Hidden : axis<16> {};
struct Heads : axis<2> {};
struct HeadDim : axis<4> {};
struct QKV : axis<3> {};

struct attention_module {
    nn::linear<axes<Embed>, axes<QKV, Heads, HeadDim>> c_attn;
    // As PyTorch's files have it: the outputs first.
    nn::linear<axes<Heads, HeadDim>, axes<Embed>, nn::with_bias, nn::weight_layout::out_in> c_proj;
    constexpr auto operator()(auto x) const { return c_proj(causal_attention<Time, HeadDim>(c_attn(x))); }
};
struct block {
    nn::layer_norm<Embed> ln_1;
    attention_module attn;
    nn::layer_norm<Embed> ln_2;
    nn::feed_forward<Embed, Hidden> mlp;
    constexpr auto operator()(auto x) const {
        auto y = x + attn(ln_1(x));
        return y + mlp(ln_2(y));
    }
};
template <class Layer>
struct gpt_of {
    nn::embedding<Vocab, Embed> wte;
    parameter<Time, Embed> wpe{"wpe.weight"};
    stack<Layer, 2> h;
    nn::layer_norm<Embed> ln_f;
    constexpr auto operator()(auto tokens) const { return dot<Embed>(ln_f(h(wte(tokens) + wpe)), wte.weight); }
};
using gpt = gpt_of<block>;
using recomputed_gpt = gpt_of<checkpoint<block>>;

struct plain_loss {
    constexpr auto operator()(auto const& m, auto x, auto y) const { return cross_entropy<Vocab>(m(x), y); }
};
struct adapted_loss {
    constexpr auto operator()(auto const& m, auto const& a, auto x, auto y) const {
        return cross_entropy<Vocab>(with(a, frozen(m))(x), y);
    }
};

using ids = tensor<std::int32_t, Batch, Time>;

}  // namespace small_gpt
