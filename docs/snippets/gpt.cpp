// SPDX-License-Identifier: MIT
// The README's GPT: its text, the constants it yields, one step.
#include <tenet/nn.hpp>
#include <tenet/op.hpp>
#include <tenet/program.hpp>

#include <cstdio>

using namespace tenet;

// clang-format off: axes that belong together stand together
// [model]
struct Batch : at_most<12> {};  struct Time : axis<64> {};     struct Vocab : axis<80> {};
struct Embed : axis<128> {};    struct Hidden : axis<512> {};
struct Heads : axis<4> {};      struct HeadDim : axis<32> {};  struct QKV : axis<3> {};

struct attention_layer {
    nn::linear<axes<Embed>, axes<QKV, Heads, HeadDim>> c_attn;  // in files "h.0.attn.c_attn.weight", and so on
    nn::linear<axes<Heads, HeadDim>, axes<Embed>> c_proj;
    constexpr auto operator()(auto x) const { return c_proj(causal_attention<Time, HeadDim>(c_attn(x))); }
};
struct block {
    nn::layer_norm<Embed> ln_1;
    attention_layer attn;
    nn::layer_norm<Embed> ln_2;
    nn::feed_forward<Embed, Hidden> mlp;
    constexpr auto operator()(auto x) const {
        auto y = x + attn(ln_1(x));
        return y + mlp(ln_2(y));
    }
};
struct gpt {
    parameter<Vocab, Embed> wte;
    parameter<Time, Embed> wpe;
    stack<block, 4> h;
    nn::layer_norm<Embed> ln_f;
    constexpr auto operator()(auto tokens) const {
        auto x = lookup(wte, tokens) + wpe;
        return dot<Embed>(ln_f(h(x)), wte);  // the tied head: by name, so no transpose
    }
};
struct next_token_loss {
    constexpr auto operator()(auto const& model, auto tokens, auto targets) const {
        return cross_entropy<Vocab>(model(tokens), targets);
    }
};
// [model]
// clang-format on

int main() {
    // [step]
    using train = program<gpt, next_token_loss, tokens<Batch, Time>, tokens<Batch, Time>>;
    static_assert(parameter_count<gpt> == 811'776);
    static_assert(train::activation_bytes < 32 << 20);  // known before the program runs

    parameters<gpt> theta;
    initialize(theta, init::gpt2{}, /*seed*/ 1337);
    train step;
    tensor<std::int32_t, Batch, Time> x, y;
    const float loss = step.value_and_grad(theta, x, y);  // leaves step.gradients()
    // [step]
    std::printf("%zu parameters, loss %.1f\n", parameter_count<gpt>, static_cast<double>(loss));
}
