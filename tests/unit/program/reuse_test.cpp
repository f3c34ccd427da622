// SPDX-License-Identifier: MIT
// Gradients of parameters with several uses, in a layer, in several calls and in different roles, add up; what the loss
// does not depend on gets zeros.
#define BOOST_TEST_MODULE program_reuse
#include "../../support/program_check.hpp"

using namespace program_check;

struct N : at_most<5> {};
struct E : axis<4> {};
struct F : axis<6> {};
struct V : axis<5> {};

namespace reuse_test {

// The weight is contracted twice, on either side; the gain is multiplied, added and normalised with.
struct twice {
    parameter<E, F> weight{};
    parameter<E> gain{};
    constexpr auto operator()(auto x) const {
        return layer_norm<E>(x * gain + dot<F>(tanh(dot<E>(x, weight)), weight), gain, gain);
    }
};
struct model {
    parameter<V, E> table{};
    stack<twice, 3> h{};
    twice last{};
    constexpr auto operator()(auto t) const {
        const auto x = lookup(table, t) + sum<V>(table);
        return dot<E>(last(frozen(last)(last(h(h(x))))), table);
    }
};
// The same with the frozen use in a set of its own.
struct two_sets {
    constexpr auto operator()(auto const& m, auto const& n, auto t) const {
        const auto x = lookup(m.table, t) + sum<V>(m.table);
        const auto y = dot<E>(m.last(frozen(n.last)(m.last(m.h(m.h(x))))), m.table);
        return mean(y * y * y);
    }
};
struct one_set {
    constexpr auto operator()(auto const& m, auto t) const {
        const auto y = m(t);
        return mean(y * y * y);
    }
};
struct unused_operand {
    constexpr auto operator()(auto x, auto, auto s) const { return std::make_tuple(s, x); }
};

}  // namespace reuse_test
using namespace reuse_test;

BOOST_AUTO_TEST_CASE(all_uses_add_up) {
    auto theta = random_parameters<model>(1), other = theta;
    const auto t = random_tokens<tensor<std::int32_t, N>>(2, 5, extent<N>(4));
    basic_program<double, program_mode::gradients, models<model, model>, two_sets, tokens<N>> two;
    basic_program<double, program_mode::gradients, model, one_set, tokens<N>> one;
    expect_parameter_gradients(two, {{theta.data(), theta.size()}, {other.data(), other.size()}},
                               [&] { return two(theta, other, t); });
    BOOST_TEST(std::fabs(one(theta, t) - two(theta, other, t)) <= 1e-14);
    BOOST_TEST(greatest_difference(one.gradients(), two.gradients()) <= 1e-13);
}

BOOST_AUTO_TEST_CASE(what_the_loss_does_not_depend_on) {
    basic_program<double, program_mode::gradients, models<>, unused_operand, variable<E>, variable<N>, variable<>> p;
    const auto x = random_tensor<tensor<double, E>>(1);
    for (int again = 0; again < 2; ++again) {
        tensor<double> s;
        s() = 3.5;
        BOOST_TEST(p(x, random_tensor<tensor<double, N>>(2, extent<N>(3)), s) == 3.5);
        BOOST_TEST(greatest_difference(p.result<1>(), x) == 0.0);
        for (double v : p.input_gradient<0>()) BOOST_TEST(v == 0.0);
        BOOST_TEST(p.input_gradient<1>().size() == 3u);
        for (double v : p.input_gradient<1>()) BOOST_TEST(v == 0.0);
        BOOST_TEST(p.input_gradient<2>()() == 1.0);
        std::fill(p.arena().begin(), p.arena().end(), std::byte{0xff});
    }
}
