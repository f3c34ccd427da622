// SPDX-License-Identifier: MIT
// Numeric gradients of what changes axes and not numbers, first and second order; of stop_gradient, dropout and cast.
#define BOOST_TEST_MODULE gradient_rearrange
#include "../support/gradient_check.hpp"

using namespace gradient_check;

struct A : axis<3> {};
struct B : axis<6> {};
struct B2 : axis<6> {};
struct Outer : axis<2> {};
struct Inner : axis<3> {};
struct Part : axis<4> {};
struct Wide : axis<9> {};
struct Sum : axis<13> {};
struct N : at_most<5> {};
struct N2 : at_most<5> {};
struct NB : at_most<30> {};

namespace {

struct names {
    constexpr auto operator()(auto x) const {
        return project_all(rename<B, B2>(x) * x, split<B, Outer, Inner>(x), merge<NB, N, B>(x), merge<NB, B, N>(x),
                           rename<N, N2>(x) * x, arrange<B, N, A>(x));
    }
};
struct parts {
    constexpr auto operator()(auto x) const {
        return project_all(select<B, 2>(x), slice<B, Part, 1>(x), select<A, 0>(slice<B, Part, 2>(x)),
                           select<Inner, 1>(split<B, Outer, Inner>(x)), pad<B, Wide, 2>(x), pad<B, Wide>(x, 1.5),
                           rename<Part, Extra>(slice<B, Part, 0>(x)) * x);
    }
    struct Extra : axis<4> {};
};
struct parts_of_counters {
    constexpr auto operator()(auto x, auto s) const {
        return project_all(sum(select<A, 1>(x) * positions<B>(x)), s * positions<B>(x), sum(s * positions<N>(x)),
                           sum<B>(x * positions<B>(x)));
    }
};
struct joined_axes {
    constexpr auto operator()(auto x, auto y) const {
        const auto z = slice<B, Inner, 3>(x);
        return project_all(concat<Sum, B, Part, Inner>(x, y, z), concat<Wide, Inner, B>(z, x * x));
    }
};
struct stops {
    constexpr auto operator()(auto x) const {
        return project_all(dropout(x, 0.3), x * dropout(sin(x), 0.5), cast<dtype::real>(cast<dtype::boolean>(x)) * x);
    }
};
struct stopped {
    constexpr auto operator()(auto x) const { return sum(x * stop_gradient(x * x)); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(rename_split_merge_arrange) {
    expect_both_orders<names>("names", uniform<tensor<double, A, N, B>>(1, -1, 1, extent<N>(4)));
}
BOOST_AUTO_TEST_CASE(select_slice_pad) {
    expect_both_orders<parts>("parts", uniform<tensor<double, N, B, A>>(2, -1, 1, extent<N>(4)));
}
BOOST_AUTO_TEST_CASE(counters_as_cotangents) {
    expect_both_orders<parts_of_counters>("positions", uniform<tensor<double, N, B, A>>(3, -1, 1, extent<N>(4)),
                                          uniform<tensor<double>>(4, -1, 1));
}
BOOST_AUTO_TEST_CASE(concat_along_any_axis) {
    expect_both_orders<joined_axes>("concat", uniform<tensor<double, A, B, N>>(5, -1, 1, extent<N>(4)),
                                    uniform<tensor<double, N, A, Part>>(6, -1, 1, extent<N>(4)));
}
BOOST_AUTO_TEST_CASE(dropout_draws_the_same_in_the_backward) {
    expect_gradients<stops, program_mode::training>("dropout",
                                                    uniform<tensor<double, A, N, B>>(7, 0.1, 1, extent<N>(4)));
}
BOOST_AUTO_TEST_CASE(stop_gradient_is_a_constant) {
    program_for<stopped, program_mode::gradients, tensor<double, A>> p;
    p(tensor<double, A>{1, 2, -3});
    const auto g = p.input_gradient<0>();
    BOOST_TEST(g(0) == 1.0);
    BOOST_TEST(g(1) == 4.0);
    BOOST_TEST(g(2) == 9.0);
}
