// SPDX-License-Identifier: MIT
// Numeric gradients of the element-wise operations that choose: extrema, bounds, comparisons, where; first and second
// order.
#define BOOST_TEST_MODULE gradient_choice
#include "../support/gradient_check.hpp"

using namespace gradient_check;

struct A : axis<3> {};
struct B : axis<5> {};

namespace {

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
struct rejected {
    constexpr auto operator()(auto x) const { return project(where(greater(x, 0.0), log(x), 0.0 * x)); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(functions_with_kinks) {
    expect_both_orders<kinks>("abs .. clamp", uniform<tensor<double, A, B>>(4, -1, 1),
                              uniform<tensor<double, B>>(5, -1, 1));
}
BOOST_AUTO_TEST_CASE(masks_and_where) {
    expect_both_orders<masks>("where", uniform<tensor<double, B, A>>(6, -1, 1),
                              uniform<tensor<double, A, B>>(7, -1, 1));
}

// What `where` rejects must not spoil the gradient, though the logarithm of a negative number is NaN.
BOOST_AUTO_TEST_CASE(rejected_nan_leaves_the_gradient_alone) {
    program_for<rejected, program_mode::gradients, tensor<double, A>> p;
    BOOST_TEST(std::isfinite(p(tensor<double, A>{-1, 2, 3})));
    const auto g = p.input_gradient<0>();
    for (double v : g) BOOST_TEST(std::isfinite(v));
}
