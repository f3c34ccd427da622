// SPDX-License-Identifier: MIT
// Optimisers against their formulas in double, on a model with weights that decay, a bias and a gain that do not, and a
// part that is frozen.
#define BOOST_TEST_MODULE optim_optimizers
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <map>

#include <tenet/op.hpp>

#include <tenet/nn/embedding.hpp>
#include <tenet/nn/layer_norm.hpp>
#include <tenet/optim.hpp>
#include <tenet/program/program.hpp>

using namespace tenet;

namespace {

struct In : axis<5> {};
struct Out : axis<3> {};
struct Row : axis<4> {};

struct part {
    nn::linear<axes<In>, axes<Out>> up;
    nn::linear<axes<Out>, axes<In>> down;
    constexpr auto operator()(auto x) const { return x + down(tanh(up(x))); }
};
struct model {
    nn::embedding<Row, In> table;
    stack<part, 2> h;
    nn::linear<axes<In>, axes<Out>> fixed;
    nn::layer_norm<In> ln;
};
// The gradient is not small, so that clipping and momentum have something to do.
struct loss {
    constexpr auto operator()(auto const& m, auto x) const {
        auto y = m.ln(m.h(dot<Row>(x, m.table.weight)));
        return sum(y * y * y) + sum(frozen(m.fixed)(y));
    }
};
using step = program<model, loss, values<Row>>;

struct second_model {
    parameter<In> v;
};
struct two_losses {
    constexpr auto operator()(auto const& m, auto const& n, auto x) const { return loss{}(m, x) + sum(n.v * n.v); }
};
using both = program<models<model, second_model>, two_losses, values<Row>>;

parameters<model> first_values() {
    parameters<model> theta;
    for (named_array const& a : theta.arrays())
        for (std::size_t k = 0; k < a.size(); ++k)
            static_cast<float*>(a.data)[k] = static_cast<float>(std::sin(1.9 * static_cast<double>(k + a.name.size())));
    return theta;
}
tensor<float, Row> input() {
    return {0.5f, -1.0f, 0.25f, 2.0f};
}

using named_values = std::map<std::string, std::vector<double>>;
named_values copy_of(std::vector<named_array> const& arrays) {
    named_values all;
    for (named_array const& a : arrays)
        if (a.type == dtype::float32)
            all[a.name].assign(static_cast<float*>(a.data), static_cast<float*>(a.data) + a.size());
    return all;
}

// A gradient of every trained parameter, by name: the block's layout is the parameters' without the frozen part.
named_values gradients_of(step const& train) {
    parameters<model> place;
    for (trainable_range const& r : trainable_ranges<step>)
        std::copy_n(train.gradients().data() + r.gradient, r.elements, place.data() + r.parameter);
    named_values all = copy_of(place.arrays());
    all.erase("fixed.weight");
    all.erase("fixed.bias");
    return all;
}

bool decays(std::string const& name) {
    return name.ends_with(".weight") && name.find("ln") == std::string::npos;
}

void check_close(named_values const& found, named_values const& expected) {
    std::size_t compared = 0;
    for (auto const& [name, values] : expected)
        for (std::size_t k = 0; k < values.size(); ++k, ++compared) BOOST_TEST_CONTEXT(name << " " << k) {
                BOOST_TEST(std::fabs(found.at(name)[k] - values[k]) <= 2e-6 * (1 + std::fabs(values[k])));
            }
    BOOST_TEST(compared > 0u);
}

// Runs `steps` steps; `update(w, g, name, k)` changes the weights in double, from the gradients that the program found.
template <class Optimiser, class Update>
void check_against(Optimiser& optimiser, int steps, double rate, double clip, Update const& update) {
    parameters<model> theta = first_values();
    const named_values start = copy_of(theta.arrays());
    named_values expected = start;
    step train;
    for (int s = 1; s <= steps; ++s) {
        train.value_and_grad(theta, input());
        const named_values g = gradients_of(train);
        double square = 0;
        for (auto const& [name, values] : g)
            for (double v : values) square += v * v;
        const double norm = gradient_norm(train);
        BOOST_TEST(norm == std::sqrt(square), boost::test_tools::tolerance(1e-6));
        const double factor = clip_factor(norm, clip);
        for (auto const& [name, values] : g)
            for (std::size_t k = 0; k < values.size(); ++k)
                update(expected[name][k], values[k] * factor, name + " " + std::to_string(k), decays(name), s);
        optimiser.step(theta, train, rate, factor);
        check_close(copy_of(theta.arrays()), expected);
        // The next gradients are taken at the float weights: the expectation follows them.
        expected = copy_of(theta.arrays());
    }
    BOOST_TEST(optimiser.steps() == steps);
    BOOST_TEST((copy_of(theta.arrays()).at("fixed.weight") == start.at("fixed.weight")));
    BOOST_TEST((copy_of(theta.arrays()).at("h.1.up.weight") != start.at("h.1.up.weight")));
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_frozen_part_has_neither_gradient_nor_state) {
    static_assert(trainable_ranges<step>.size() == 7);
    static_assert(trainable_elements<step> == step::gradient_elements);
    static_assert(trainable_elements<step> + 2 * 16 == parameter_elements<model>);
    adamw<step> optimiser;
    for (named_array const& a : optimiser.arrays()) BOOST_TEST(a.name.find("fixed") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(clip_factors) {
    BOOST_TEST(clip_factor(0.5, 1.0) == 1.0);
    BOOST_TEST(clip_factor(4.0, 1.0) == 1.0 / (4.0 + 1e-6));
    BOOST_TEST(clip_factor(4.0, 0.0) == 1.0);
    BOOST_TEST(clip_factor(0.0, 1.0) == 1.0);
}

BOOST_AUTO_TEST_CASE(plain_descent_with_decay) {
    sgd<step> optimiser{sgd_options{.weight_decay = 0.1}};
    check_against(optimiser, 3, 0.01, 0.0, [](double& w, double g, std::string const&, bool decays, int) {
        w -= 0.01 * (g + (decays ? 0.1 * w : 0.0));
    });
}

BOOST_AUTO_TEST_CASE(momentum_and_nesterov) {
    for (bool nesterov : {false, true}) {
        sgd<step> optimiser{sgd_options{.momentum = 0.9, .nesterov = nesterov}};
        std::map<std::string, double> velocity;
        check_against(optimiser, 4, 0.003, 2.0, [&](double& w, double g, std::string const& which, bool, int) {
            double& u = velocity[which];
            u = 0.9 * u + g;
            w -= 0.003 * (nesterov ? g + 0.9 * u : u);
        });
    }
}

BOOST_AUTO_TEST_CASE(adamw_decays_matrices_and_tables) {
    adamw<step> optimiser{adamw_options{.beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.2}};
    std::map<std::string, double> m, v;
    check_against(optimiser, 4, 0.02, 1.0, [&](double& w, double g, std::string const& which, bool decays, int s) {
        w -= decays ? 0.02 * 0.2 * w : 0.0;
        m[which] = 0.8 * m[which] + 0.2 * g;
        v[which] = 0.95 * v[which] + 0.05 * g * g;
        w -= 0.02 * (m[which] / (1 - std::pow(0.8, s))) / (std::sqrt(v[which] / (1 - std::pow(0.95, s))) + 1e-6);
    });
}

BOOST_AUTO_TEST_CASE(adam_does_not_decay_and_rules_can_be_replaced) {
    parameters<model> a = first_values(), b = first_values(), c = first_values();
    step train;
    train.value_and_grad(a, input());
    adam one(train);
    adamw two(train, {.weight_decay = 0.5, .decays = [](parameter_leaf const&) { return false; }});
    adamw three(train, {.weight_decay = 0.5, .decays = nullptr});
    one.step(a, train, 0.01);
    two.step(b, train, 0.01);
    three.step(c, train, 0.01);
    BOOST_TEST((copy_of(a.arrays()) == copy_of(b.arrays())));
    BOOST_TEST((copy_of(a.arrays()).at("ln.bias") != copy_of(c.arrays()).at("ln.bias")));
}

BOOST_AUTO_TEST_CASE(each_model_of_a_program_has_its_own_optimiser) {
    parameters<model> theta = first_values();
    parameters<second_model> other;
    for (float& v : other.span("v")) v = 0.5f;
    both train;
    train.value_and_grad(theta, other, input());
    sgd<both, 1> optimiser;
    static_assert(trainable_ranges<both, 1>.size() == 1);
    static_assert(trainable_ranges<both, 1>[0].gradient == trainable_elements<both, 0>);
    static_assert(trainable_ranges<both, 1>[0].state == 0);
    optimiser.step(other, train, 0.1);
    for (float v : other.span("v")) BOOST_TEST(v == 0.4f, boost::test_tools::tolerance(1e-6f));
}

BOOST_AUTO_TEST_CASE(state_has_the_names_of_the_parameters) {
    adamw<step> optimiser;
    const auto arrays = optimiser.arrays();
    BOOST_TEST(arrays[0].name == "step");
    BOOST_TEST((arrays[0].type == dtype::int64 && arrays[0].shape.empty()));
    const auto find = [&](std::string_view name) {
        for (named_array const& a : arrays)
            if (a.name == name) return &a;
        throw exception("no array " + std::string(name));
    };
    BOOST_TEST((find("m.h.0.up.weight")->shape == std::vector<std::size_t>{5, 3}));
    BOOST_TEST((find("v.table.weight")->shape == std::vector<std::size_t>{4, 5}));
    BOOST_TEST(find("m.h.1.up.weight")->data != find("m.h.0.up.weight")->data);
    // Two moments of: table, four parameters in each of two layers, two of the norm.
    BOOST_TEST(arrays.size() == 1 + 2 * (1 + 2 * 4 + 2));
}
