// SPDX-License-Identifier: MIT
// Dropout: the same for the same seed and step, other for another seed, step, operation or layer; identity elsewhere.
#define BOOST_TEST_MODULE program_dropout
#include "../../support/program_check.hpp"

using namespace program_check;

struct A : axis<1000> {};

namespace dropout_test {

struct once {
    constexpr auto operator()(auto x) const { return std::make_tuple(sum(x), dropout(x, 0.25)); }
};
struct twice {
    constexpr auto operator()(auto x) const { return std::make_tuple(sum(x), dropout(x, 0.5) + dropout(x, 0.5)); }
};
struct layer {
    constexpr auto operator()(auto x, auto one) const { return x + dropout(one, 0.5); }
};
struct layers {
    constexpr auto operator()(auto x) const { return std::make_tuple(sum(x), stack<layer, 2>{}(x - x, x)); }
};
struct recomputed_layers {
    constexpr auto operator()(auto x) const {
        const auto y = stack<checkpoint<squared>, 2>{}(x);
        return std::make_tuple(sum(y), y);
    }
    struct squared {
        constexpr auto operator()(auto x) const { return x * dropout(x * x, 0.5); }
    };
};
struct nothing_left {
    constexpr auto operator()(auto x) const { return std::make_tuple(sum(x), dropout(x, 1.0)); }
};
template <class F, program_mode Mode = program_mode::training>
using run = basic_program<double, Mode, models<>, F, variable<A>>;

tensor<double, A> ones() {
    tensor<double, A> x;
    x.fill(1);
    return x;
}

template <class P>
tensor<double, A> draw(P& p, std::uint64_t seed, std::uint64_t step) {
    p.set_random_state(seed, step);
    p(ones());
    return p.template result<1>();
}

std::size_t count(tensor<double, A> const& t, double value) {
    std::size_t n = 0;
    for (double v : t) n += v == value;
    return n;
}

}  // namespace dropout_test
using namespace dropout_test;

BOOST_AUTO_TEST_CASE(keeps_its_share_and_scales_it) {
    run<once> p;
    const auto y = draw(p, 1, 0);
    BOOST_TEST(count(y, 0.0) + count(y, 1 / 0.75) == 1000u);
    BOOST_TEST(count(y, 0.0) > 190u);
    BOOST_TEST(count(y, 0.0) < 310u);
}
BOOST_AUTO_TEST_CASE(seed_and_step_decide) {
    run<once> p, q;
    const auto y = draw(p, 5, 2);
    BOOST_TEST(greatest_difference(y, draw(q, 5, 2)) == 0.0);
    BOOST_TEST(greatest_difference(y, draw(p, 5, 3)) > 0.0);
    BOOST_TEST(greatest_difference(y, draw(p, 6, 2)) > 0.0);
    BOOST_TEST(greatest_difference(y, draw(p, 5, 2)) == 0.0);
}
BOOST_AUTO_TEST_CASE(operations_and_layers_draw_apart) {
    run<twice> p;
    run<layers> q;
    for (auto const& y : {draw(p, 1, 1), draw(q, 1, 1)}) {
        BOOST_TEST(count(y, 2.0) > 400u);  // kept by exactly one of the two
        BOOST_TEST(count(y, 2.0) < 600u);
    }
}
BOOST_AUTO_TEST_CASE(recomputation_draws_the_same) {
    run<recomputed_layers> p;
    const auto y = draw(p, 1, 1);
    // y = x m (x m x)^2 m' ... : every factor is a power of 2 and of x, so d(sum y)/dx = 9 y at x = 1.
    const auto g = p.input_gradient<0>();
    for (std::size_t i = 0; i < g.size(); ++i) BOOST_TEST(g.data()[i] == 9 * y.data()[i]);
}
BOOST_AUTO_TEST_CASE(identity_outside_of_training) {
    run<once, program_mode::gradients> p;
    BOOST_TEST(count(draw(p, 1, 1), 1.0) == 1000u);
}
BOOST_AUTO_TEST_CASE(a_rate_of_one_leaves_zeros) {
    run<nothing_left> p;
    BOOST_TEST(count(draw(p, 1, 1), 0.0) == 1000u);
}
