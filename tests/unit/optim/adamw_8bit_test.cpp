// SPDX-License-Identifier: MIT
// AdamW with moments of a byte, over a model: which parameters have codes, layers apart, state through a checkpoint.
#define BOOST_TEST_MODULE optim_adamw_8bit
#include <boost/test/unit_test.hpp>

#include <cmath>

#include <tenet/io/checkpoint.hpp>
#include <tenet/op.hpp>
#include <tenet/optim/adamw.hpp>
#include <tenet/optim/adamw_8bit.hpp>
#include <tenet/program.hpp>

#include "../../support/program_check.hpp"
#include "../io/temporary_folder.hpp"

using namespace tenet;
using namespace program_check;

namespace {

struct Batch : axis<6> {};
struct Wide : axis<30> {};
struct Middle : axis<25> {};

struct network {
    stack<residual<Wide, Middle>, 3> h;
    affine<Wide, Middle> head;
    constexpr auto operator()(auto x) const { return head(h(x)); }
};
struct loss {
    constexpr auto operator()(auto const& m, auto x) const {
        auto y = m(x);
        return mean(y * y);
    }
};
using train = program<network, loss, values<Batch, Wide>>;
const auto x = random_tensor<tensor<float, Batch, Wide>>(1);

// Matrices of 750 elements have codes, biases do not.
const adamw_8bit_options options{.weight_decay = 0.1, .least_elements = 500, .decays = {}};

}  // namespace

BOOST_AUTO_TEST_CASE(layers_are_stepped_one_by_one) {
    train step;
    auto theta = random_parameters<network, float>(2);
    adamw_8bit optimiser(step, options);
    auto plain = theta;
    // Of the second layer's `up.weight`, and of its bias.
    const auto blocks = [](std::size_t n) { return (n + 255) / 256; };
    std::vector<std::uint8_t> m(750, kernel::zero_of_m), v(750, kernel::zero_of_v);
    std::vector<float> m_scale(blocks(750)), v_scale(blocks(750)), bias_m(25), bias_v(25);
    for (int t = 1; t <= 4; ++t) {
        step.value_and_grad(theta, x);
        kernel::adamw_step p{0.01, 0.9, 0.999, 1e-8, 0.1, 1 - std::pow(0.9, t), 1 - std::pow(0.999, t), 0.5};
        const auto gradient = [&](std::string_view name) {
            named_array const a = plain.array(name);
            return step.gradients().data() + (static_cast<float*>(a.data) - plain.data());
        };
        kernel::adamw_8bit(plain.span("h.1.up.weight").data(), gradient("h.1.up.weight"), m.data(), m_scale.data(),
                           v.data(), v_scale.data(), 750, p);
        kernel::adamw(plain.span("h.1.up.bias").data(), gradient("h.1.up.bias"), bias_m.data(), bias_v.data(), 25, p);
        optimiser.step(theta, step, 0.01, 0.5);
    }
    BOOST_TEST(optimiser.steps() == 4);
    for (std::string_view name : {"h.1.up.weight", "h.1.up.bias"})
        BOOST_TEST(greatest_difference(theta.span(name), plain.span(name)) == 0);
    BOOST_TEST(greatest_difference(theta.span("h.0.up.weight"),
                                   random_parameters<network, float>(2).span("h.0.up.weight")) > 0);
    // 7 matrices of 750 with 3 scales, 3 biases of 25 and of 30 and one of 25; padding to 16.
    BOOST_TEST(optimiser.state_bytes() == 2 * (7 * (752 + 3 * 4) + 4 * (3 * (32 + 32) + 32)));
}

BOOST_AUTO_TEST_CASE(it_trains_as_adamw_does) {
    train step;
    auto theta = random_parameters<network, float>(2), full = theta;
    adamw_8bit optimiser(step, options);
    adamw reference(step, {.weight_decay = 0.1, .decays = {}});
    float a = 0, b = 0;
    const float start = step.value_and_grad(theta, x);
    for (int t = 0; t < 60; ++t) {
        a = step.value_and_grad(theta, x);
        optimiser.step(theta, step, 0.003);
        b = step.value_and_grad(full, x);
        reference.step(full, step, 0.003);
    }
    BOOST_TEST(a < 0.05f * start);
    BOOST_TEST(std::abs(a - b) < 0.02f * start);
}

BOOST_AUTO_TEST_CASE(state_through_a_file) {
    temporary_folder folder;
    train step;
    auto theta = random_parameters<network, float>(2);
    adamw_8bit optimiser(step, options);
    const auto steps = [&](auto& o, auto& parameters, int n) {
        for (int t = 0; t < n; ++t) {
            step.value_and_grad(parameters, x);
            o.step(parameters, step, 0.01);
        }
    };
    steps(optimiser, theta, 3);
    save_checkpoint(folder / "run.safetensors", theta, optimiser.arrays());
    parameters<network> read;
    adamw_8bit resumed(step, options);
    load_checkpoint(folder / "run.safetensors", read, resumed.arrays());
    steps(optimiser, theta, 3);
    steps(resumed, read, 3);
    BOOST_TEST(resumed.steps() == 6);
    BOOST_TEST(greatest_difference(std::span(theta.data(), theta.size()), std::span(read.data(), read.size())) == 0);
}
