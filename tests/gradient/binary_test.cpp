// SPDX-License-Identifier: MIT
// Numeric gradients of the arithmetic of two operands, first and second order, with broadcasting by name.
#define BOOST_TEST_MODULE gradient_binary
#include "../support/gradient_check.hpp"

using namespace gradient_check;

struct A : axis<3> {};
struct B : axis<5> {};
struct C : axis<4> {};

namespace {

struct binary {
    constexpr auto operator()(auto x, auto y) const {
        return project_all(add(x, y), subtract(x, y), multiply(x, y), divide(x, y), pow(y, x));
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(binary_with_outer_broadcast) {
    expect_both_orders<binary>("[A, B] and [C]", uniform<tensor<double, A, B>>(8, 0.5, 1.5),
                               uniform<tensor<double, C>>(9, 0.5, 1.5));
}
BOOST_AUTO_TEST_CASE(binary_with_a_scalar) {
    expect_both_orders<binary>("[] and [A]", uniform<tensor<double>>(8, 0.5, 1.5),
                               uniform<tensor<double, A>>(9, 0.5, 1.5));
}
