// SPDX-License-Identifier: MIT
// Linear regression as a program, trained by gradient descent: once by hand, once by the optimiser.
#include <tenet/op.hpp>
#include <tenet/optim/sgd.hpp>
#include <tenet/program/program.hpp>

#include <cmath>
#include <cstdio>

using namespace tenet;

// [model]
struct Batch : at_most<64> {};
struct In : axis<2> {};
struct Out : axis<1> {};

struct regression {
    parameter<In, Out> weight;
    parameter<Out> bias;
    constexpr auto operator()(auto x) const { return dot<In>(x, weight) + bias; }
};

struct squared_error {
    constexpr auto operator()(auto const& model, auto x, auto y) const {
        auto error = model(x) - y;
        return mean(error * error);
    }
};
// [model]

// y = 3 a - 2 b + 1
static void make_data(tensor<float, Batch, In>& x, tensor<float, Batch, Out>& y) {
    for (std::size_t i = 0; i < x.extent<Batch>(); ++i) {
        x(i, 0) = std::sin(static_cast<float>(i));
        x(i, 1) = std::cos(2.5f * static_cast<float>(i));
        y(i, 0) = 3 * x(i, 0) - 2 * x(i, 1) + 1;
    }
}

int main() {
    tensor<float, Batch, In> x;
    tensor<float, Batch, Out> y;
    make_data(x, y);

    // [training]
    using train = program<regression, squared_error, values<Batch, In>, values<Batch, Out>>;
    static_assert(parameter_count<regression> == 3);
    static_assert(train::activation_bytes < 2048);  // every intermediate value of forward and backward

    train step;
    parameters<regression> theta;  // zeros at first; belongs to the caller, not to the program
    for (int i = 0; i < 100; ++i) {
        const float loss = step.value_and_grad(theta, x, y);
        for (std::size_t k = 0; k < theta.size(); ++k) theta.data()[k] -= 0.1f * step.gradients()[k];
        if (i % 25 == 0) std::printf("step %d: loss %.4f\n", i, loss);
    }
    const auto w = theta.span("weight"), b = theta.span("bias");
    std::printf("y = %.2f a + %.2f b + %.2f\n", w[0], w[1], b[0]);
    // [training]

    // [optimiser]
    parameters<regression> again;
    sgd optimiser(step, {.momentum = 0.9});
    for (int i = 0; i < 400; ++i) {
        step.value_and_grad(again, x, y);
        optimiser.step(again, step, 0.02);
    }
    // [optimiser]

    // [evaluation]
    evaluation<regression, call_model, values<Batch, In>> predict;
    tensor<float, Batch, In> one(extent<Batch>(1));
    one(0, 0) = 1;
    one(0, 1) = 1;
    predict(again, one);
    const auto answer = predict.result();  // tensor<float, Batch, Out>, one row
    std::printf("at (1, 1): %.2f\n", answer(0, 0));
    // [evaluation]
}
