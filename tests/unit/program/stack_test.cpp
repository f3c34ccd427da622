// SPDX-License-Identifier: MIT
// Stacks: gradients over layers, values that cross the border, nesting, recomputation.
#define BOOST_TEST_MODULE program_stack
#include "../../support/program_check.hpp"

#include <array>

using namespace program_check;

struct N : at_most<5> {};
struct E : axis<4> {};
struct Hidden : axis<40> {};

namespace stack_test {

using layer = residual<E, Hidden>;

constexpr auto square_mean(auto y) {
    return mean(y * y);
}

// A parameter and an input of the program, used in every layer.
struct shared_layer {
    parameter<E> own{};
    constexpr auto operator()(auto x, auto const& outer, auto input) const { return x + sin(x * outer + own) * input; }
};
struct sharing {
    parameter<E> outer{};
    stack<shared_layer, 3> h{};
    constexpr auto operator()(auto x, auto input) const { return h(x, outer, input); }
};
struct sharing_loss {
    constexpr auto operator()(auto const& m, auto x, auto input) const { return square_mean(m(x * m.outer, input)); }
};

struct group {
    parameter<E> gain{};
    stack<shared_layer, 2> inner{};
    constexpr auto operator()(auto x, auto const& outer, auto input) const {
        return inner(x * gain, outer, input * gain);
    }
};
struct nested {
    parameter<E> outer{};
    stack<group, 3> h{};
    constexpr auto operator()(auto x, auto input) const { return h(x, outer, input); }
};

template <class Blocks>
struct tower {
    Blocks h{};
    constexpr auto operator()(auto x) const { return h(x) + x; }
};
struct tower_loss {
    constexpr auto operator()(auto const& m, auto x) const { return square_mean(m(x)); }
};
struct called_twice {
    constexpr auto operator()(auto const& m, auto x) const { return square_mean(m.h(sin(m.h(x)))); }
};

using plain = tower<stack<layer, 4>>;
using recomputed_layers = tower<stack<checkpoint<layer>, 4>>;
using recomputed_stack = tower<checkpoint<stack<layer, 4>>>;

template <class M, class F = tower_loss>
using trained = basic_program<double, program_mode::gradients, M, F, variable<N, E>>;
template <class M>
using trained_sharing = basic_program<double, program_mode::gradients, M, sharing_loss, variable<N, E>, variable<N, E>>;

const auto x = random_tensor<tensor<double, N, E>>(3, extent<N>(4));
const auto input = random_tensor<tensor<double, N, E>>(4, extent<N>(4));

template <class P, class... X>
void expect_input_gradients(P& p, auto const& theta, X... operands) {
    p(theta, operands...);
    const auto g = p.template input_gradient<0>();
    const auto last = p.template input_gradient<sizeof...(X) - 1>();
    const auto check = [&](auto& t, auto const& gradient) {
        for (std::size_t i = 0; i < t.size(); ++i) {
            const double at = t.data()[i];
            t.data()[i] = at + 1e-5;
            const double above = p(theta, operands...);
            t.data()[i] = at - 1e-5;
            const double below = p(theta, operands...);
            t.data()[i] = at;
            BOOST_TEST(std::fabs((above - below) / 2e-5 - gradient.data()[i]) < 1e-7);
        }
    };
    auto all = std::tie(operands...);
    check(std::get<0>(all), g);
    check(std::get<sizeof...(X) - 1>(all), last);
}

}  // namespace stack_test
using namespace stack_test;

BOOST_AUTO_TEST_CASE(values_used_in_every_layer) {
    auto theta = random_parameters<sharing>(1);
    trained_sharing<sharing> p;
    expect_parameter_gradients(p, {{theta.data(), theta.size()}}, [&] { return p(theta, x, input); });
    expect_input_gradients(p, theta, x, input);
}

BOOST_AUTO_TEST_CASE(stacks_nest) {
    auto theta = random_parameters<nested>(1);
    trained_sharing<nested> p;
    expect_parameter_gradients(p, {{theta.data(), theta.size()}}, [&] { return p(theta, x, input); });
    expect_input_gradients(p, theta, x, input);
}

BOOST_AUTO_TEST_CASE(result_of_a_stack_and_its_operand) {
    auto theta = random_parameters<plain>(1);
    trained<plain> p;
    expect_parameter_gradients(p, {{theta.data(), theta.size()}}, [&] { return p(theta, x); });
    expect_input_gradients(p, theta, x);
}

// Each layer traced by itself.
template <std::size_t Layers>
struct row {
    std::array<layer, Layers> h{};
    constexpr auto operator()(auto value) const { return from<0>(value) + value; }
    template <std::size_t First>
    constexpr auto from(auto value) const {
        if constexpr (First == Layers) return value;
        else return from<First + 1>(h[First](value));
    }
};
// A deep graph keeps within the steps that compilers allow for one constant evaluation.
static_assert(trained<row<40>>::activation_bytes > 0);

BOOST_AUTO_TEST_CASE(an_array_of_layers_is_a_stack) {
    parameters<row<4>, double> each;
    parameters<plain, double> theta = random_parameters<plain>(1);
    std::size_t copied = 0;
    for (named_array const& to : each.arrays())
        for (named_array const& from : theta.arrays())
            if (to.name == from.name) {
                std::copy_n(static_cast<double const*>(from.data), from.size(), static_cast<double*>(to.data));
                ++copied;
            }
    BOOST_TEST_REQUIRE(copied == 16u);
    trained<row<4>> unrolled;
    trained<plain> stacked;
    BOOST_TEST(unrolled(each, x) == stacked(theta, x));
    BOOST_TEST(greatest_difference(unrolled.input_gradient<0>(), stacked.input_gradient<0>()) <= 1e-14);
}

BOOST_AUTO_TEST_CASE(a_stack_called_twice) {
    auto theta = random_parameters<plain>(1);
    trained<plain, called_twice> p;
    expect_parameter_gradients(p, {{theta.data(), theta.size()}}, [&] { return p(theta, x); });
}

template <class Recomputed>
void expect_the_same_in_less_memory() {
    auto theta = random_parameters<plain>(1);
    parameters<Recomputed, double> other;
    BOOST_TEST_REQUIRE(other.size() == theta.size());
    std::copy_n(theta.data(), theta.size(), other.data());
    trained<plain> kept;
    trained<Recomputed> recomputed;
    BOOST_TEST(kept(theta, x) == recomputed(other, x));
    BOOST_TEST(greatest_difference(kept.gradients(), recomputed.gradients()) <= 1e-14);
    BOOST_TEST(greatest_difference(kept.template input_gradient<0>(), recomputed.template input_gradient<0>()) <=
               1e-14);
    BOOST_TEST(trained<Recomputed>::activation_bytes < trained<plain>::activation_bytes);
}
BOOST_AUTO_TEST_CASE(checkpoint_inside_a_stack) {
    expect_the_same_in_less_memory<recomputed_layers>();
}
BOOST_AUTO_TEST_CASE(stack_inside_a_checkpoint) {
    auto theta = random_parameters<recomputed_stack>(1);
    trained<recomputed_stack> p;
    expect_parameter_gradients(p, {{theta.data(), theta.size()}}, [&] { return p(theta, x); });
    expect_input_gradients(p, theta, x);
}
