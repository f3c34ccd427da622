// SPDX-License-Identifier: MIT
// Numeric gradients of softmax and log-softmax, first and second order.
#define BOOST_TEST_MODULE gradient_softmax
#include "../support/gradient_check.hpp"

using namespace gradient_check;

struct A : axis<3> {};
struct N : at_most<6> {};
struct M : at_most<7> {};

namespace {

struct softmaxes {
    constexpr auto operator()(auto x) const { return project_all(softmax<M>(x), softmax<N>(x), softmax<N, M>(x)); }
};
struct log_softmaxes {
    constexpr auto operator()(auto x) const {
        return project_all(log_softmax<A>(x), log_softmax<M>(x), log_softmax<M, A>(x));
    }
};
// What comes back to a softmax is made of its own result and operand.
struct softmaxes_times_themselves {
    constexpr auto operator()(auto x) const {
        auto y = softmax<A>(x), z = log_softmax<A>(x);
        return sum(y * y) + sum(y * z) + sum(z * z) + sum(x * y) + sum(x * z) + project(logsumexp<A>(x));
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(softmax_over_run_time_axes) {
    expect_both_orders<softmaxes>("softmax", uniform<tensor<double, N, A, M>>(1, -2, 2, extent<N>(4), extent<M>(3)));
}
BOOST_AUTO_TEST_CASE(log_softmax_over_run_time_axes) {
    expect_both_orders<log_softmaxes>("log_softmax",
                                      uniform<tensor<double, M, N, A>>(2, -2, 2, extent<N>(4), extent<M>(3)));
}
BOOST_AUTO_TEST_CASE(softmax_times_itself) {
    expect_both_orders<softmaxes_times_themselves>("softmax", uniform<tensor<double, N, A>>(3, -2, 2, extent<N>(4)));
}
