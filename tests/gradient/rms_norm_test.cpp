// SPDX-License-Identifier: MIT
// Numeric gradients of root-mean-square normalisation, and of both kinds over two axes and with their own operand as
// parameter, first and second order.
#define BOOST_TEST_MODULE gradient_rms_norm
#include "../support/gradient_check.hpp"

using namespace gradient_check;

struct A : axis<3> {};
struct B : axis<5> {};
struct N : at_most<6> {};

namespace {

struct several_axes {
    constexpr auto operator()(auto x, auto weight, auto bias) const {
        return project_all(layer_norm<A, B>(x, weight, bias), rms_norm<A, B>(x, weight));
    }
};
struct rms_norms {
    constexpr auto operator()(auto x, auto weight) const {
        return project_all(rms_norm<B>(x, weight), rms_norm<N>(x), rms_norm<B>(x, weight, 0.1));
    }
};
// One tensor in several places, also as the gradient that comes back: x is what x's own norm is multiplied with.
struct own_parameters {
    constexpr auto operator()(auto x) const {
        return project_all(layer_norm<B>(x, x, x), layer_norm<B>(x, sin(x), x), rms_norm<B>(x, x)) +
               sum(x * layer_norm<B>(x)) + sum(x * rms_norm<B>(x));
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(norms_over_two_axes) {
    expect_both_orders<several_axes>("two axes", uniform<tensor<double, B, N, A>>(6, -2, 2, extent<N>(4)),
                                     uniform<tensor<double, B, A>>(7, 0.5, 2), uniform<tensor<double, A, B>>(8, -1, 1));
}
BOOST_AUTO_TEST_CASE(rms_norm_inner_and_outer) {
    expect_both_orders<rms_norms>("rms_norm", uniform<tensor<double, A, N, B>>(9, -2, 2, extent<N>(4)),
                                  uniform<tensor<double, B>>(10, 0.5, 2));
}
BOOST_AUTO_TEST_CASE(norms_with_their_operand_as_parameter) {
    expect_both_orders<own_parameters>("x in several places", uniform<tensor<double, B>>(11, -2, 2));
}
