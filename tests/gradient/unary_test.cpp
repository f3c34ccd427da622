// SPDX-License-Identifier: MIT
// Numeric gradients of the element-wise operations of one operand, first and second order.
#define BOOST_TEST_MODULE gradient_unary
#include "../support/gradient_check.hpp"

using namespace gradient_check;

struct A : axis<3> {};
struct B : axis<5> {};

namespace {

struct smooth {
    constexpr auto operator()(auto x) const {
        return project_all(exp(x), expm1(x), sin(x), cos(x), tanh(x), sigmoid(x), negate(x), erf(x));
    }
};
struct activations {
    constexpr auto operator()(auto x) const {
        return project_all(gelu(x), gelu_erf(x), silu(x), softplus(x), log_sigmoid(x), relu(x));
    }
};
struct positive {
    constexpr auto operator()(auto x) const {
        return project_all(log(x), log1p(x), sqrt(x), rsqrt(x), pow(x, 1.7), pow(1.7, x), 1.0 / x, x / 3.0);
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(smooth_functions) {
    expect_both_orders<smooth>("exp .. erf", uniform<tensor<double, A, B>>(1, -2, 2));
}
BOOST_AUTO_TEST_CASE(activation_functions) {
    expect_both_orders<activations>("gelu .. relu", uniform<tensor<double, A, B>>(2, -3, 3));
}
BOOST_AUTO_TEST_CASE(functions_of_positive_numbers) {
    expect_both_orders<positive>("log .. pow", uniform<tensor<double, A, B>>(3, 0.3, 2));
}
