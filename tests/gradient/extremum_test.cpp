// SPDX-License-Identifier: MIT
// Numeric gradients of extrema and log-sums, first and second order, over axes in any position, static and at run time.
#define BOOST_TEST_MODULE gradient_extremum
#include "../support/gradient_check.hpp"

using namespace gradient_check;

struct C : axis<4> {};
struct N : at_most<6> {};
struct M : at_most<7> {};

namespace {

template <class First, class Last>
struct extrema {
    constexpr auto operator()(auto x) const {
        return project_all(max<First>(x), min<Last>(x), max<First, Last>(x), min(x),
                           x * cast<dtype::real>(argmax<Last>(x)));
    }
};
template <class First, class Last>
struct log_sums {
    constexpr auto operator()(auto x) const {
        return project_all(logsumexp<First>(x), logsumexp<Last, First>(x), variance(x));
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(extrema_over_run_time_axes) {
    expect_both_orders<extrema<N, M>>("max, min, argmax",
                                      uniform<tensor<double, N, C, M>>(3, -1, 1, extent<N>(4), extent<M>(5)));
}
BOOST_AUTO_TEST_CASE(log_sums_over_run_time_axes) {
    expect_both_orders<log_sums<M, N>>("logsumexp",
                                       uniform<tensor<double, N, C, M>>(4, -1, 1, extent<N>(4), extent<M>(5)));
}
