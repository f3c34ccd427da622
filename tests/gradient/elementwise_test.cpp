// SPDX-License-Identifier: MIT
// Numeric gradients of the element-wise operations, first and second order, and of broadcasting by name.
#define BOOST_TEST_MODULE gradient_elementwise
#include "../support/gradient_check.hpp"

using namespace gradient_check;

struct A : axis<3> {};
struct B : axis<5> {};
struct C : axis<4> {};

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
struct kinks {
    constexpr auto operator()(auto x, auto y) const {
        return project_all(abs(x), maximum(x, y), minimum(x, y), maximum(x, 0.1), clamp(x, -0.5, 0.4),
                           clamp(x, y - 1.0, y * y), x * sign(y));
    }
};
struct masks {
    constexpr auto operator()(auto x, auto y) const {
        const auto low = less(x, y), high = greater_equal(x, 0.2);
        return project_all(where(logical_and(low, high), x * y, x), where(logical_or(low, not_equal(x, y)), y, 2.0),
                           where(logical_not(greater(x, y)), 1.0, x * x), x * less_equal(x, y), y * equal(y, y));
    }
};
struct binary {
    constexpr auto operator()(auto x, auto y) const {
        return project_all(add(x, y), subtract(x, y), multiply(x, y), divide(x, y), pow(y, x));
    }
};
struct rejected {
    constexpr auto operator()(auto x) const { return project(where(greater(x, 0.0), log(x), 0.0 * x)); }
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
BOOST_AUTO_TEST_CASE(functions_with_kinks) {
    expect_both_orders<kinks>("abs .. clamp", uniform<tensor<double, A, B>>(4, -1, 1),
                              uniform<tensor<double, B>>(5, -1, 1));
}
BOOST_AUTO_TEST_CASE(masks_and_where) {
    expect_both_orders<masks>("where", uniform<tensor<double, B, A>>(6, -1, 1),
                              uniform<tensor<double, A, B>>(7, -1, 1));
}
BOOST_AUTO_TEST_CASE(binary_with_outer_broadcast) {
    expect_both_orders<binary>("[A, B] and [C]", uniform<tensor<double, A, B>>(8, 0.5, 1.5),
                               uniform<tensor<double, C>>(9, 0.5, 1.5));
}
BOOST_AUTO_TEST_CASE(binary_with_a_scalar) {
    expect_both_orders<binary>("[] and [A]", uniform<tensor<double>>(8, 0.5, 1.5),
                               uniform<tensor<double, A>>(9, 0.5, 1.5));
}

// What `where` rejects must not spoil the gradient, though the logarithm of a negative number is NaN.
BOOST_AUTO_TEST_CASE(rejected_nan_leaves_the_gradient_alone) {
    program_for<rejected, program_mode::gradients, tensor<double, A>> p;
    BOOST_TEST(std::isfinite(p(tensor<double, A>{-1, 2, 3})));
    const auto g = p.input_gradient<0>();
    for (double v : g) BOOST_TEST(std::isfinite(v));
}
