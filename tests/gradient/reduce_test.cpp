// SPDX-License-Identifier: MIT
// Numeric gradients of the reductions, first and second order, over axes in any position, static and at run time.
#define BOOST_TEST_MODULE gradient_reduce
#include "../support/gradient_check.hpp"

using namespace gradient_check;

struct A : axis<3> {};
struct B : axis<5> {};
struct C : axis<4> {};
struct D : axis<2> {};
struct N : at_most<6> {};
struct M : at_most<7> {};

namespace {

template <class First, class Last>
struct sums {
    constexpr auto operator()(auto x) const {
        return project_all(sum(x), sum<First>(x), mean<First, Last>(x), mean<Last>(x), variance<First>(x),
                           norm<Last>(x), norm(x));
    }
};
struct six_axes {
    constexpr auto operator()(auto x, auto y) const {
        return project_all(sum<A, C>(x * y), mean<N, D>(x - y), max<B, M>(x + y));
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(sums_over_static_axes) {
    expect_both_orders<sums<A, B>>("sum, mean, variance, norm", uniform<tensor<double, A, C, B>>(1, -1, 1));
}
BOOST_AUTO_TEST_CASE(sums_over_run_time_axes) {
    expect_both_orders<sums<N, M>>("at_most", uniform<tensor<double, N, C, M>>(2, -1, 1, extent<N>(4), extent<M>(5)));
}
BOOST_AUTO_TEST_CASE(six_axes_in_different_order) {
    expect_both_orders<six_axes>("six axes",
                                 uniform<tensor<double, A, N, B, M, C, D>>(5, -1, 1, extent<N>(2), extent<M>(2)),
                                 uniform<tensor<double, D, M, A>>(6, -1, 1, extent<M>(2)));
}
