// SPDX-License-Identifier: MIT
// One model trained in float and in mixed precision.
#include <tenet/nn.hpp>
#include <tenet/optim.hpp>
#include <tenet/program.hpp>

#include <cmath>
#include <cstdio>

using namespace tenet;

struct Batch : axis<64> {};
struct Letter : axis<40> {};
struct Embed : axis<64> {};
struct Hidden : axis<256> {};

struct block {
    nn::layer_norm<Embed> ln;
    nn::feed_forward<Embed, Hidden> mlp;
    constexpr auto operator()(auto x) const { return x + mlp(ln(x)); }
};
struct network {
    nn::embedding<Letter, Embed> wte;
    stack<block, 3> h;
    constexpr auto operator()(auto letters) const { return dot<Embed>(h(wte(letters)), wte.weight); }
};
struct loss {
    constexpr auto operator()(auto const& m, auto letters, auto next) const {
        return cross_entropy<Letter>(m(letters), next);
    }
};

// [types]
using float_step = program<network, loss, tokens<Batch>, tokens<Batch>>;
using mixed_step = program_of<mixed_precision<float, bfloat16>, network, loss, tokens<Batch>, tokens<Batch>>;

static_assert(std::is_same_v<mixed_step::real_type, float>);        // parameters, gradients, losses
static_assert(std::is_same_v<mixed_step::product_type, bfloat16>);  // operands of matrix products
static_assert(mixed_step::gradient_elements == float_step::gradient_elements);
// [types]

template <class Step>
float train(tensor<std::int32_t, Batch> const& letters, tensor<std::int32_t, Batch> const& next) {
    // [train]
    parameters<network> theta;  // one set of weights, in float
    initialize(theta, init::torch_default{}, 1);
    Step step;
    adamw<Step> optimise;
    float value = 0;
    for (int i = 0; i < 60; ++i) {
        value = step.value_and_grad(theta, letters, next);
        optimise.step(theta, step, 1e-3);
    }
    // [train]
    return value;
}

int main() {
    tensor<std::int32_t, Batch> letters, next;
    for (std::size_t i = 0; i < letters.size(); ++i) {
        letters.data()[i] = static_cast<std::int32_t>(i % 40);
        next.data()[i] = static_cast<std::int32_t>(i * 7 % 40);
    }
    const float exact = train<float_step>(letters, next), mixed = train<mixed_step>(letters, next);
    std::printf("float learns: %s\n", exact < 0.5f ? "yes" : "no");
    std::printf("mixed precision learns: %s\n", mixed < 0.5f ? "yes" : "no");
    std::printf("within a hundredth of each other: %s\n", std::fabs(exact - mixed) < 0.01f ? "yes" : "no");
}
