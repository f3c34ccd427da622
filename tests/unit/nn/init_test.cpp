// SPDX-License-Identifier: MIT
// First values of parameters: their distributions, and that nothing but seed, name and place decides them.
#define BOOST_TEST_MODULE nn_init
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstring>

#include <tenet/nn/embedding.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/nn/transformer_block.hpp>
#include <tenet/parallel/threads.hpp>

using namespace tenet;

namespace {

struct Time : axis<8> {};
struct Vocab : axis<100> {};
struct Embed : axis<64> {};
struct Hidden : axis<200> {};
struct Heads : axis<4> {};
struct HeadDim : axis<16> {};

struct model {
    nn::embedding<Vocab, Embed> wte;
    stack<nn::transformer_block<Time, Embed, Heads, HeadDim, Hidden>, 3> h;
    nn::layer_norm<axes<Heads, HeadDim>> norm;
};
struct larger {
    parameter<Hidden> first;
    nn::embedding<Vocab, Embed> wte;
};

struct moments {
    double mean = 0, std = 0, low = 1e9, high = -1e9;
};
moments of(std::span<float const> values) {
    moments m;
    for (float v : values) {
        m.mean += static_cast<double>(v);
        m.std += static_cast<double>(v) * static_cast<double>(v);
        m.low = std::fmin(m.low, static_cast<double>(v));
        m.high = std::fmax(m.high, static_cast<double>(v));
    }
    const auto n = static_cast<double>(values.size());
    m.mean /= n;
    m.std = std::sqrt(m.std / n - m.mean * m.mean);
    return m;
}

parameter_leaf leaf_of(std::string_view path) {
    for (parameter_leaf const& leaf : parameter_leaves<model>)
        if (leaf.path.view() == path) return leaf;
    throw exception("no such leaf");
}

void check_normal(parameters<model>& theta, char const* name, double std) {
    const auto values = theta.span(name);
    const moments m = of(values);
    const auto n = static_cast<double>(values.size());
    BOOST_TEST_CONTEXT(name << ": mean " << m.mean << ", std " << m.std) {
        BOOST_TEST(std::fabs(m.mean) < 4 * std / std::sqrt(n));
        BOOST_TEST(std::fabs(m.std / std - 1) < 4 / std::sqrt(2 * n));
    }
}
void check_uniform(parameters<model>& theta, char const* name, double a) {
    const auto values = theta.span(name);
    const moments m = of(values);
    BOOST_TEST_CONTEXT(name << ": " << m.low << " to " << m.high) {
        BOOST_TEST(m.low >= -a * 1.000001);
        BOOST_TEST(m.high <= a * 1.000001);
        BOOST_TEST(m.high - m.low > 1.98 * a);
        BOOST_TEST(std::fabs(m.std - a / std::sqrt(3.0)) < 0.03 * a);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(roles_follow_names_and_layers) {
    static_assert(role_of(parameter_leaves<larger>[0]) == parameter_role::gain);
    BOOST_TEST((role_of(leaf_of("wte.weight")) == parameter_role::table));
    BOOST_TEST((role_of(leaf_of("h.*.attn.c_attn.weight")) == parameter_role::matrix));
    BOOST_TEST((role_of(leaf_of("h.*.attn.c_attn.bias")) == parameter_role::bias));
    BOOST_TEST((role_of(leaf_of("h.*.ln_1.weight")) == parameter_role::gain));
    BOOST_TEST((role_of(leaf_of("norm.weight")) == parameter_role::gain));
    BOOST_TEST((role_of(leaf_of("norm.bias")) == parameter_role::bias));
    BOOST_TEST((file_shape(leaf_of("h.*.attn.c_attn.weight")) == std::vector<std::size_t>{64, 192}));
    BOOST_TEST((file_shape(leaf_of("h.*.attn.c_proj.weight")) == std::vector<std::size_t>{64, 64}));
    BOOST_TEST((file_shape(leaf_of("h.*.attn.c_attn.bias")) == std::vector<std::size_t>{192}));
    BOOST_TEST((file_shape(leaf_of("norm.weight")) == std::vector<std::size_t>{4, 16}));
}

BOOST_AUTO_TEST_CASE(gpt2_rule) {
    parameters<model> theta;
    initialize(theta, init::gpt2{}, 1);
    check_normal(theta, "wte.weight", 0.02);
    check_normal(theta, "h.0.attn.c_attn.weight", 0.02);
    check_normal(theta, "h.2.mlp.c_fc.weight", 0.02);
    check_normal(theta, "h.1.attn.c_proj.weight", 0.02 / std::sqrt(6.0));
    check_normal(theta, "h.2.mlp.c_proj.weight", 0.02 / std::sqrt(6.0));
    for (char const* zero : {"h.0.attn.c_attn.bias", "h.1.mlp.c_proj.bias", "h.2.ln_1.bias", "norm.bias"})
        for (float v : theta.span(zero)) BOOST_TEST(v == 0.0f);
    for (char const* one : {"h.0.ln_2.weight", "norm.weight"})
        for (float v : theta.span(one)) BOOST_TEST(v == 1.0f);
}

BOOST_AUTO_TEST_CASE(fans_and_their_distributions) {
    parameters<model> theta;
    const auto set = [&](auto rule) { initialize(theta, rule, 7); };
    BOOST_TEST(init::fan_of(leaf_of("h.*.mlp.c_fc.weight")).in == 64.0);
    BOOST_TEST(init::fan_of(leaf_of("h.*.mlp.c_fc.weight")).out == 200.0);
    BOOST_TEST(init::fan_of(leaf_of("h.*.attn.c_attn.weight")).out == 192.0);
    // torch.nn.init counts an embedding's fan_in as its second axis.
    BOOST_TEST(init::fan_of(leaf_of("wte.weight")).in == 64.0);
    BOOST_TEST(init::fan_of(leaf_of("wte.weight")).out == 100.0);
    char const* const name = "h.1.mlp.c_fc.weight";
    set([](parameter_leaf const& leaf) { return init::xavier_uniform(leaf); });
    check_uniform(theta, name, std::sqrt(6.0 / 264));
    set([](parameter_leaf const& leaf) { return init::xavier_normal(leaf, 2); });
    check_normal(theta, name, 2 * std::sqrt(2.0 / 264));
    set([](parameter_leaf const& leaf) { return init::kaiming_uniform(leaf); });
    check_uniform(theta, name, std::sqrt(6.0 / 64));
    set([](parameter_leaf const& leaf) { return init::kaiming_normal(leaf); });
    check_normal(theta, name, std::sqrt(2.0 / 64));
    set(init::torch_default{});
    check_uniform(theta, name, 1.0 / 8);
    check_normal(theta, "wte.weight", 1);
    set([](parameter_leaf const&) { return init::uniform(2, 3); });
    BOOST_TEST(of(theta.span(name)).low >= 2.0);
    BOOST_TEST(std::fabs(of(theta.span(name)).mean - 2.5) < 0.01);
    set([](parameter_leaf const&) { return init::constant(0.25); });
    BOOST_TEST(of(theta.span(name)).low == 0.25);
    BOOST_TEST(of(theta.span(name)).high == 0.25);
}

BOOST_AUTO_TEST_CASE(numbers_depend_on_seed_name_and_place_only) {
    parameters<model> one, two, other;
    with_threads(1, [&] {
        initialize(one, init::gpt2{}, 3);
        return 0;
    });
    with_threads(2, [&] {
        initialize(two, init::gpt2{}, 3);
        return 0;
    });
    initialize(other, init::gpt2{}, 4);
    BOOST_TEST(std::memcmp(one.data(), two.data(), one.size() * sizeof(float)) == 0);
    BOOST_TEST(std::memcmp(one.data(), other.data(), one.size() * sizeof(float)) != 0);
    // Another model with a parameter of the same name draws the same numbers for it.
    parameters<larger> elsewhere;
    initialize(elsewhere, init::gpt2{}, 3);
    BOOST_TEST(std::memcmp(elsewhere.span("wte.weight").data(), one.span("wte.weight").data(), 6400 * sizeof(float)) ==
               0);
    // Layers differ.
    BOOST_TEST(std::memcmp(one.span("h.0.mlp.c_fc.weight").data(), one.span("h.1.mlp.c_fc.weight").data(),
                           64 * 200 * sizeof(float)) != 0);
    BOOST_TEST(init::stream_of("a") == 0xaf63dc4c8601ec8cu);  // FNV-1a's published value
}
