// SPDX-License-Identifier: MIT
// Numeric gradients of layer normalisation, first and second order.
#define BOOST_TEST_MODULE gradient_layer_norm
#include "../support/gradient_check.hpp"

using namespace gradient_check;

struct A : axis<3> {};
struct B : axis<5> {};
struct N : at_most<6> {};

namespace {

struct layer_norms {
    constexpr auto operator()(auto x, auto weight, auto bias) const {
        return project_all(layer_norm<B>(x, weight, bias), layer_norm<B>(x, weight), layer_norm<N>(x),
                           layer_norm<B>(x, weight, bias, 0.1));
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(layer_norm_inner_and_outer) {
    expect_both_orders<layer_norms>("layer_norm", uniform<tensor<double, A, N, B>>(3, -2, 2, extent<N>(4)),
                                    uniform<tensor<double, B>>(4, 0.5, 2), uniform<tensor<double, B>>(5, -1, 1));
}
