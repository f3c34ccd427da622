// SPDX-License-Identifier: MIT
// error: dot_axis_missing_on_left<Heads, 4, axes<Batch, Time, Hidden>>
// max-lines: 19
// options-clang: -ftemplate-backtrace-limit=2
// max-messages: 19
//
// One wrong axis deep in a GPT: in the feed-forward of a block of a stack, in a training program that is used.
#include <tenet/op.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Vocab : axis<80> {};
struct Embed : axis<128> {};
struct Hidden : axis<512> {};
struct Heads : axis<4> {};
struct HeadDim : axis<32> {};
struct QKV : axis<3> {};

#ifdef TENET_MISTAKE
using feed_forward_input = Heads;
#else
using feed_forward_input = Hidden;
#endif

template <class In, class Out>
struct layer;
template <class... In, class... Out>
struct layer<axes<In...>, axes<Out...>> {
    parameter<In..., Out...> weight;
    parameter<Out...> bias;
    constexpr auto operator()(auto x) const { return dot<In...>(x, weight) + bias; }
};
struct norm_layer {
    parameter<Embed> weight, bias;
    constexpr auto operator()(auto x) const { return layer_norm<Embed>(x, weight, bias); }
};
struct self_attention {
    layer<axes<Embed>, axes<QKV, Heads, HeadDim>> c_attn;
    layer<axes<Heads, HeadDim>, axes<Embed>> c_proj;
    constexpr auto operator()(auto x) const { return c_proj(causal_attention<Time, HeadDim>(c_attn(x))); }
};
struct feed_forward_layer {
    layer<axes<Embed>, axes<Hidden>> c_fc;
    layer<axes<feed_forward_input>, axes<Embed>> c_proj;
    constexpr auto operator()(auto x) const { return c_proj(gelu(c_fc(x))); }
};
struct block {
    norm_layer ln_1;
    self_attention attn;
    norm_layer ln_2;
    feed_forward_layer mlp;
    constexpr auto operator()(auto x) const {
        auto y = x + attn(ln_1(x));
        return y + mlp(ln_2(y));
    }
};
struct gpt {
    parameter<Vocab, Embed> wte;
    parameter<Time, Embed> wpe;
    stack<block, 4> h;
    norm_layer ln_f;
    constexpr auto operator()(auto tokens) const {
        auto x = lookup(wte, tokens) + wpe;
        return dot<Embed>(ln_f(h(x)), wte);
    }
};
struct next_token_loss {
    constexpr auto operator()(auto const& model, auto x, auto y) const {
        auto logits = model(x);
        return std::tuple{cross_entropy<Vocab>(logits, y), logits};
    }
};

float train(parameters<gpt>& theta, tensor<std::int32_t, Batch, Time> const& x,
            tensor<std::int32_t, Batch, Time> const& y) {
    program<gpt, next_token_loss, tokens<Batch, Time>, tokens<Batch, Time>> step;
    float loss = step.value_and_grad(theta, x, y) + step.gradients()[0];
    auto logits = step.result<1>();
    return loss + logits(0, 0, 0) + static_cast<float>(logits.extent<Batch>());
}
