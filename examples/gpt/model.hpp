// SPDX-License-Identifier: MIT
// A character-level GPT. Axes are types, members' names are the checkpoint's, and the whole step is compiled from this.
#pragma once

#include <tenet/nn.hpp>
#include <tenet/op.hpp>
#include <tenet/program.hpp>

namespace gpt {

using namespace tenet;

struct Batch : at_most<16> {};
struct Time : axis<64>, sequence {};
struct Vocab : axis<128> {};  // room: a text's own alphabet is smaller, and the rest of the classes is masked
struct Embed : axis<128> {};
struct Hidden : axis<512> {};
struct Heads : axis<4> {};
struct HeadDim : axis<32> {};
struct QKV : axis<3> {};

template <bool Bias>
struct attention {
    nn::linear<axes<Embed>, axes<QKV, Heads, HeadDim>, Bias> c_attn;
    nn::linear<axes<Heads, HeadDim>, axes<Embed>, Bias> c_proj;

    constexpr auto operator()(auto x) const { return c_proj(causal_attention<sequence, HeadDim>(c_attn(x))); }
};

template <bool Bias>
struct block {
    nn::layer_norm<Embed, Bias> ln_1;
    attention<Bias> attn;
    nn::layer_norm<Embed, Bias> ln_2;
    nn::feed_forward<Embed, Hidden, nn::gelu_erf, Bias> mlp;

    constexpr auto operator()(auto x) const {
        auto y = x + attn(ln_1(x));
        return y + mlp(ln_2(y));
    }
};

/// `Layers` blocks between the embeddings and a head that shares the token table.
template <int Layers, bool Bias = nn::no_bias>
struct model_of_depth {
    using Vocab = gpt::Vocab;
    static constexpr std::size_t context = Time::capacity;

    parameter<Vocab, Embed> wte{"wte.weight"};
    parameter<Time, Embed> wpe{"wpe.weight"};
    stack<block<Bias>, Layers> h;
    nn::layer_norm<Embed, Bias> ln_f;

    constexpr auto operator()(auto tokens) const { return logits(ln_f(h(lookup(wte, tokens) + wpe))); }

    // What text is written with: positions as an input, logits for the last token only.
    constexpr auto hidden(auto tokens, auto positions) const {
        return ln_f(h(lookup(wte, tokens) + lookup(wpe, positions)));
    }
    constexpr auto logits(auto x) const { return dot<Embed>(x, wte); }  // the tied head: by name, so no transpose
};

/// The loss of the next token. `mask` [Vocab] is 0 for the classes that exist and very negative for the others.
struct next_token_loss {
    constexpr auto operator()(auto const& m, auto tokens, auto targets, auto mask) const {
        return cross_entropy<Vocab>(m(tokens) + mask, targets);
    }
};

/// The model of this program: 0.8 million parameters.
inline constexpr int layers = 4;
using model = model_of_depth<layers>;
static_assert(parameter_count<model_of_depth<4>> < 1'000'000);

}  // namespace gpt
