// SPDX-License-Identifier: MIT
// Gradients of gradients through stacks and checkpoints, and gradients taken inside of a layer.
#define BOOST_TEST_MODULE program_second_order
#include "../../support/program_check.hpp"

using namespace program_check;

struct N : at_most<5> {};
struct E : axis<4> {};

namespace second_order_test {

struct layer {
    parameter<E> gain{};
    constexpr auto operator()(auto x, auto const& outer) const { return x + sin(x * gain) * outer; }
};
template <class Blocks>
struct tower {
    parameter<E> outer{};
    Blocks h{};
    constexpr auto operator()(auto x) const { return mean(cos(h(x, outer)) * x); }
};
// The loss depends on the slope of the tower by its operand and by the parameter that all layers share.
struct penalised {
    constexpr auto operator()(auto const& m, auto x) const {
        const auto y = m(x);
        const auto [dx, douter] = grad(y, x, m.outer);
        return y + sum(dx * dx) + sum(douter * douter * douter);
    }
};
// Every layer goes down an energy of its own.
struct descent {
    parameter<E> gain{};
    constexpr auto operator()(auto x, auto const& outer) const { return x - 0.3 * grad(sum(sin(x * gain) * outer), x); }
};
struct plain_loss {
    constexpr auto operator()(auto const& m, auto x) const { return m(x); }
};

template <class Blocks, class Loss>
void expect_right_gradients() {
    using model = tower<Blocks>;
    auto theta = random_parameters<model>(1);
    auto x = random_tensor<tensor<double, N, E>>(2, extent<N>(3));
    basic_program<double, program_mode::gradients, model, Loss, variable<N, E>> p;
    expect_parameter_gradients(p, {{theta.data(), theta.size()}}, [&] { return p(theta, x); });
    p(theta, x);
    const auto g = p.template input_gradient<0>();
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double at = x.data()[i];
        x.data()[i] = at + 1e-5;
        const double above = p(theta, x);
        x.data()[i] = at - 1e-5;
        const double below = p(theta, x);
        x.data()[i] = at;
        BOOST_TEST(std::fabs((above - below) / 2e-5 - g.data()[i]) < 1e-7);
    }
}

}  // namespace second_order_test
using namespace second_order_test;

BOOST_AUTO_TEST_CASE(through_a_stack) {
    expect_right_gradients<stack<layer, 3>, penalised>();
}
BOOST_AUTO_TEST_CASE(through_a_stack_of_checkpoints) {
    expect_right_gradients<stack<checkpoint<layer>, 3>, penalised>();
}
BOOST_AUTO_TEST_CASE(through_a_checkpoint) {
    expect_right_gradients<checkpoint<layer>, penalised>();
}
BOOST_AUTO_TEST_CASE(inside_of_a_layer) {
    expect_right_gradients<stack<descent, 3>, plain_loss>();
}
