// SPDX-License-Identifier: MIT
// What programs can do: stacks, checkpoints, frozen modules, several models, gradients in place, results, taps.
#include <tenet/op.hpp>
#include <tenet/program/program.hpp>

#include <cmath>
#include <cstdio>

using namespace tenet;

struct Batch : at_most<4> {};
struct Embed : axis<8> {};
struct Hidden : axis<16> {};
struct Class : axis<5> {};

// [module]
struct feed_forward {
    parameter<Embed, Hidden> up;
    parameter<Hidden, Embed> down;
    constexpr auto operator()(auto x) const { return dot<Hidden>(gelu(dot<Embed>(x, up)), down); }
};
struct block {
    parameter<Embed> gain;
    feed_forward mlp;
    double rate = 0.1;  // plain numbers are part of the code, not parameters
    constexpr auto operator()(auto x) const { return x + dropout(mlp(rms_norm<Embed>(x, gain)), rate); }
};
struct network {
    stack<checkpoint<block>, 3> h;
    parameter<Embed, Class> head{"lm_head"};  // a name given in place of the member's
    constexpr auto operator()(auto x) const { return dot<Embed>(tap<"features">(h(x)), head); }
};
// [module]

// [loss]
struct classify {
    constexpr auto operator()(auto const& model, auto x, auto labels) const {
        auto logits = model(x);
        return std::tuple{cross_entropy<Class>(logits, labels), logits};  // the first result is the loss
    }
};
using train = program<network, classify, values<Batch, Embed>, tokens<Batch>>;
// [loss]

// [distill]
struct distill {  // the student learns what the teacher says
    constexpr auto operator()(auto const& student, auto const& teacher, auto x) const {
        auto wanted = log_softmax<Class>(frozen(teacher)(x));
        auto said = log_softmax<Class>(student(x));
        return mean<Batch>(sum<Class>(exp(wanted) * (wanted - said)));
    }
};
using distillation = program<models<network, network>, distill, values<Batch, Embed>>;
static_assert(distillation::gradient_elements == train::gradient_elements);  // none for the teacher
// [distill]

// [penalty]
struct with_penalty {  // a loss with the size of its own gradient by the input in it
    constexpr auto operator()(auto const& model, auto x, auto labels) const {
        auto loss = cross_entropy<Class>(model(x), labels);
        auto slope = grad(loss, x);  // [Batch, Embed], a symbol like any other
        return loss + 0.1 * mean(sum<Embed>(slope * slope));
    }
};
using penalised = program<network, with_penalty, variable<Batch, Embed>, tokens<Batch>>;
// [penalty]

// [constants]
static_assert(parameter_count<network> == 3 * (8 + 2 * 8 * 16) + 8 * 5);
static_assert(train::activation_bytes < 16 * 1024);
static_assert(train::flops > 0);
// [constants]

int main() {
    // [names]
    parameters<network> theta;
    for (named_array const& a : theta.arrays()) std::printf("%s ", a.name.c_str());
    // h.0.gain h.1.gain h.2.gain h.0.mlp.up ... h.2.mlp.down lm_head: leaf by leaf, layer after layer
    for (float& g : theta.span("h.0.gain")) g = 1;
    // [names]
    std::printf("\n");
    for (std::size_t i = 0; i < theta.size(); ++i) theta.data()[i] = 0.3f * std::sin(static_cast<float>(i));

    // [run]
    train step;
    step.set_random_state(/*seed*/ 1, /*step*/ 0);  // what dropout draws from; change `step` every step
    tensor<float, Batch, Embed> x(extent<Batch>(3));
    tensor<std::int32_t, Batch> labels(extent<Batch>(3));
    x.fill(0.5f);
    labels.fill(2);
    const float loss = step.value_and_grad(theta, x, labels);
    const auto logits = step.result<1>();                 // tensor<float, Batch, Class>, 3 rows
    const named_array features = step.tap<"features">();  // [3, 8], in the arena until the next step
    // [run]
    std::printf("%d %zu %zu\n", std::isfinite(loss), logits.extent<Batch>(), features.shape[0]);

    distillation teach;
    parameters<network> student = theta;
    for (float& w : student.span("lm_head")) w += 0.1f;
    const float divergence = teach.value_and_grad(student, theta, x);
    penalised sharp;
    const float penalty = sharp.value_and_grad(theta, x, labels);
    const auto dx = sharp.input_gradient<0>();
    std::printf("%d %d %zu\n", std::isfinite(divergence), penalty > 0, dx.size());
}
