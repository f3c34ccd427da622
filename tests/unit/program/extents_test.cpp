// SPDX-License-Identifier: MIT
// Run-time extents: a program over `at_most` axes at extent n does what a program over `axis<n>` does; extents and
// indices that do not fit are exceptions.
#define BOOST_TEST_MODULE program_extents
#include "../../support/program_check.hpp"

using namespace program_check;

struct N : at_most<6> {};
struct M : at_most<9> {};
struct NM : at_most<54> {};
struct StaticN : axis<4> {};
struct StaticM : axis<5> {};
struct StaticNM : axis<20> {};
struct E : axis<6> {};
struct H : axis<2> {};
struct D : axis<3> {};
struct V : axis<7> {};

namespace extents_test {

// Run-time axes outermost, in the middle and innermost, several at once.
template <class Rows, class Columns, class Both>
struct mixture {
    constexpr auto operator()(auto x, auto y, auto t) const {
        const auto a = layer_norm<E>(x) * mean<Rows>(x) + softmax<Columns>(y);
        const auto heads = split<E, H, D>(a);
        const auto b = merge<E, H, D>(causal_attention<Columns, D>(heads, sin(heads), cos(heads)));
        const auto c = dot<Columns>(b, y) + max<Columns>(a) + logsumexp<Columns, E>(y);
        const auto d = sum<Both>(merge<Both, Rows, Columns>(a * b));
        const auto e = gather<E>(a, t) + pad<H, D, 1>(select<D, 1>(heads));
        return mean(c * c) + sum(d) + variance(a) + norm(b) + mean(e * e);
    }
};
template <class Rows, class Columns, class Both>
using mixed = basic_program<double, program_mode::gradients, models<>, mixture<Rows, Columns, Both>,
                            variable<Rows, Columns, E>, variable<E, Columns>, tokens<Columns, Rows>>;

struct table_model {
    parameter<V, E> table{};
    constexpr auto operator()(auto t) const { return lookup(table, t); }
};
struct class_loss {
    constexpr auto operator()(auto const& m, auto t, auto y) const {
        return cross_entropy<V>(dot<E>(m(t), m.table), y);
    }
};
using classifier = program<table_model, class_loss, tokens<N>, tokens<N>>;

// Parameters keep their full extents; a step sees the first rows and columns of them.
struct partly_seen {
    parameter<N, E> rows{};
    parameter<E, M> columns{};
    constexpr auto operator()(auto x) const {
        const auto y = (x + rows) * columns;
        const auto merged = dot<NE>(merge<NE, N, E>(rows * rows), merge<NE, N, E>(x));
        return mean(y * y) + sum(dot<N>(x, rows) * softmax<M>(columns)) + sum(softmax<N>(rows) * rename<N, N2>(rows)) +
               sum(merged * merged) + sum(select<E, 2>(rows) * select<E, 1>(columns)) + sum(layer_norm<E>(columns) * x);
    }
    struct NE : at_most<36> {};
    struct N2 : at_most<6> {};
};

struct merged_sum {
    constexpr auto operator()(auto x, auto y) const { return sum(merge<NM, N, M>(x) * y); }
};

}  // namespace extents_test
using namespace extents_test;

BOOST_AUTO_TEST_CASE(at_most_n_equals_axis_n) {
    const auto x = random_tensor<tensor<double, StaticN, StaticM, E>>(1);
    const auto y = random_tensor<tensor<double, E, StaticM>>(2);
    const auto t = random_tokens<tensor<std::int32_t, StaticM, StaticN>>(3, 6);
    tensor<double, N, M, E> u(extent<N>(4), extent<M>(5));
    tensor<double, E, M> v(extent<M>(5));
    tensor<std::int32_t, M, N> w(extent<N>(4), extent<M>(5));
    u.assign(x.begin(), x.end());
    v.assign(y.begin(), y.end());
    w.assign(t.begin(), t.end());
    mixed<StaticN, StaticM, StaticNM> fixed;
    mixed<N, M, NM> flexible;
    // Full extents first: what lies behind the smaller ones must not count.
    flexible(random_tensor<tensor<double, N, M, E>>(7), random_tensor<tensor<double, E, M>>(8),
             random_tokens<tensor<std::int32_t, M, N>>(9, 6));
    BOOST_TEST(std::fabs(fixed(x, y, t) - flexible(u, v, w)) <= 1e-12);
    BOOST_TEST(greatest_difference(fixed.input_gradient<0>(), flexible.input_gradient<0>()) <= 1e-12);
    BOOST_TEST(greatest_difference(fixed.input_gradient<1>(), flexible.input_gradient<1>()) <= 1e-12);
    BOOST_TEST(flexible.input_gradient<0>().extent<M>() == 5u);
}

BOOST_AUTO_TEST_CASE(parameters_with_run_time_axes) {
    auto theta = random_parameters<partly_seen>(1);
    basic_program<double, program_mode::gradients, partly_seen, call_model, variable<N, M, E>> p;
    const auto full = random_tensor<tensor<double, N, M, E>>(2);
    const auto x = random_tensor<tensor<double, N, M, E>>(3, extent<N>(4), extent<M>(5));
    p(theta, full);  // leaves gradients in every row, which must not stay
    expect_parameter_gradients(p, {{theta.data(), theta.size()}}, [&] { return p(theta, x); });
}

BOOST_AUTO_TEST_CASE(extents_that_contradict_each_other) {
    auto theta = random_parameters<table_model, float>(1);
    classifier p;
    const auto x = random_tokens<tensor<std::int32_t, N>>(1, 7, extent<N>(3));
    const auto y = random_tokens<tensor<std::int32_t, N>>(2, 7, extent<N>(4));
    BOOST_CHECK_THROW(p(theta, x, y), exception);
    BOOST_TEST(std::isfinite(p(theta, y, y)));
}

BOOST_AUTO_TEST_CASE(an_extent_over_the_capacity) {
    tensor<double, N> t;
    BOOST_CHECK_THROW(t.set_extent<N>(7), exception);
    BOOST_CHECK_THROW(t.set_extent<N>(0), exception);
    BOOST_CHECK_THROW((tensor<double, N>(extent<N>(100))), exception);
}

BOOST_AUTO_TEST_CASE(a_derived_extent_must_agree) {
    basic_program<double, program_mode::forward, models<>, merged_sum, values<N, M>, values<NM>> p;
    const auto x = random_tensor<tensor<double, N, M>>(1, extent<N>(2), extent<M>(3));
    BOOST_TEST(std::isfinite(p(x, random_tensor<tensor<double, NM>>(2, extent<NM>(6)))));
    BOOST_CHECK_THROW(p(x, random_tensor<tensor<double, NM>>(2, extent<NM>(7))), exception);
}

BOOST_AUTO_TEST_CASE(indices_out_of_range) {
    auto theta = random_parameters<table_model, float>(1);
    classifier p;
    auto good = random_tokens<tensor<std::int32_t, N>>(1, 7), bad = good;
    for (std::int32_t wrong : {7, -1, 1 << 30}) {
        bad(2) = wrong;
        BOOST_CHECK_THROW(p(theta, bad, good), exception);
        BOOST_CHECK_THROW(p(theta, good, bad), exception);
    }
    bad(2) = -100;  // ignored as a target, but no index
    BOOST_CHECK_THROW(p(theta, bad, good), exception);
    BOOST_TEST(std::isfinite(p(theta, good, bad)));
}
