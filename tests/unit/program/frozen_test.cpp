// SPDX-License-Identifier: MIT
// Frozen modules and stopped gradients have no gradient memory and no backward, whatever else uses the same module.
#define BOOST_TEST_MODULE program_frozen
#include "../../support/program_check.hpp"

using namespace program_check;

struct N : at_most<5> {};
struct E : axis<4> {};
struct H : axis<6> {};
struct O : axis<3> {};
struct V : axis<7> {};

namespace frozen_test {

struct net {
    affine<E, H> base{};
    affine<H, O> head{};
    constexpr auto operator()(auto const& x) const { return head(tanh(base(x))); }
};
constexpr auto square_mean(auto y) {
    return mean(y * y);
}

struct frozen_base {
    constexpr auto operator()(auto const& m, auto x) const { return square_mean(m.head(tanh(frozen(m.base)(x)))); }
};
struct stopped_base {
    constexpr auto operator()(auto const& m, auto x) const {
        return square_mean(m.head(stop_gradient(tanh(m.base(x)))));
    }
};
struct both_uses {
    constexpr auto operator()(auto const& m, auto x) const { return square_mean(m(x) - 0.5 * frozen(m)(sin(x))); }
};
struct two_sets {
    constexpr auto operator()(auto const& m, auto const& n, auto x) const {
        return square_mean(m(x) - 0.5 * frozen(n)(sin(x)));
    }
};
struct two_trained_sets {
    constexpr auto operator()(auto const& m, auto const& n, auto x) const { return square_mean(m(x) - n(sin(x))); }
};
struct tied {
    parameter<V, E> wte{};
    constexpr auto operator()(auto t) const { return dot<E>(lookup(wte, t), wte); }
};
struct tied_loss {
    constexpr auto operator()(auto const& m, auto t, auto y) const { return cross_entropy<V>(m(t), y); }
};

template <class F, class Models = net>
using trained = basic_program<double, program_mode::gradients, Models, F, variable<N, E>>;

const auto x = random_tensor<tensor<double, N, E>>(3, extent<N>(4));

}  // namespace frozen_test
using namespace frozen_test;

BOOST_AUTO_TEST_CASE(frozen_base_has_no_gradient_memory) {
    using P = trained<frozen_base>;
    static_assert(P::image.trainable.size() == 2 && P::gradient_elements == 32 + 16);
    auto theta = random_parameters<net>(1);
    P p;
    expect_parameter_gradients(p, {{theta.data(), theta.size()}}, [&] { return p(theta, x); });
}

BOOST_AUTO_TEST_CASE(gradients_pass_through_a_frozen_module) {
    auto theta = random_parameters<net>(1);
    trained<frozen_base> p;
    p(theta, x);
    const auto g = p.input_gradient<0>();
    for (std::size_t i = 0; i < x.size(); ++i) {
        auto above = x, below = x;
        above.data()[i] += 1e-5;
        below.data()[i] -= 1e-5;
        BOOST_TEST(std::fabs((p(theta, above) - p(theta, below)) / 2e-5 - g.data()[i]) < 1e-8);
    }
}

BOOST_AUTO_TEST_CASE(what_leads_to_a_stopped_value_is_not_trained) {
    using P = trained<stopped_base>;
    static_assert(P::image.trainable.size() == 2 && P::gradient_elements == 32 + 16);
    auto theta = random_parameters<net>(1);
    P p;
    p(theta, x);
    for (double v : p.input_gradient<0>()) BOOST_TEST(v == 0.0);
    expect_parameter_gradients(p, {{theta.data(), theta.size()}}, [&] { return p(theta, x); });
}

// One module in both roles gives what two modules with equal parameters give.
BOOST_AUTO_TEST_CASE(frozen_and_trainable_in_one_program) {
    auto theta = random_parameters<net>(1), copy = theta;
    trained<both_uses> one;
    trained<two_sets, models<net, net>> two;
    static_assert(trained<two_sets, models<net, net>>::gradient_elements == parameter_elements<net>);
    BOOST_TEST(std::fabs(one(theta, x) - two(theta, copy, x)) <= 1e-14);
    BOOST_TEST(greatest_difference(one.gradients(), two.gradients()) <= 1e-14);
    expect_parameter_gradients(two, {{theta.data(), theta.size()}, {copy.data(), copy.size()}},
                               [&] { return two(theta, copy, x); });
}

BOOST_AUTO_TEST_CASE(two_sets_of_one_model) {
    auto theta = random_parameters<net>(1), other = random_parameters<net>(20);
    trained<two_trained_sets, models<net, net>> p;
    static_assert(decltype(p)::gradient_elements == 2 * parameter_elements<net>);
    expect_parameter_gradients(p, {{theta.data(), theta.size()}, {other.data(), other.size()}},
                               [&] { return p(theta, other, x); });
}

BOOST_AUTO_TEST_CASE(both_uses_of_a_tied_table_add_up) {
    auto theta = random_parameters<tied>(1);
    const auto t = random_tokens<tensor<std::int32_t, N>>(2, 7), y = random_tokens<tensor<std::int32_t, N>>(3, 7);
    basic_program<double, program_mode::gradients, tied, tied_loss, tokens<N>, tokens<N>> p;
    expect_parameter_gradients(p, {{theta.data(), theta.size()}}, [&] { return p(theta, t, y); });
}
