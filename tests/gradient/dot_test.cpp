// SPDX-License-Identifier: MIT
// Numeric gradients of the contractions, first and second order: every way in which axes can stand.
#define BOOST_TEST_MODULE gradient_dot
#include "../support/gradient_check.hpp"

using namespace gradient_check;

struct A : axis<3> {};
struct B : axis<5> {};
struct C : axis<3> {};
struct K : axis<6> {};
struct J : axis<2> {};
struct N : at_most<6> {};
struct M : at_most<7> {};

namespace {

template <class... Inner>
struct product {
    constexpr auto operator()(auto x, auto y) const { return project(dot<Inner...>(x, y)); }
};
// The same two operands in several contractions.
struct positions_of_axes {
    constexpr auto operator()(auto x, auto y) const {
        return project_all(dot<K>(x, y), dot<K>(y, x), dot<N>(x, y), dot<N, K>(x, y), dot<A, K>(x, rename<C, A>(y)));
    }
};
struct sums_of_products {
    constexpr auto operator()(auto x, auto y, auto z) const {
        return project_all(einsum<axes<C, A>>(x, y, z), einsum<axes<>>(x, y), einsum<axes<B>>(x),
                           einsum<axes<N, B>>(x, z));
    }
};
struct matrix_product {
    constexpr auto operator()(auto x, auto y) const { return project(matmul(x, y)); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(several_inner_axes_and_run_time_batch) {
    expect_both_orders<product<K, J>>("[N, M, K, J] . [A, K, J]",
                                      uniform<tensor<double, N, M, K, J>>(1, -1, 1, extent<N>(3), extent<M>(2)),
                                      uniform<tensor<double, A, K, J>>(2, -1, 1));
}
BOOST_AUTO_TEST_CASE(axes_in_any_position) {
    expect_both_orders<positions_of_axes>("[A, N, K] and [K, C, N]",
                                          uniform<tensor<double, A, N, K>>(3, -1, 1, extent<N>(4)),
                                          uniform<tensor<double, K, C, N>>(4, -1, 1, extent<N>(4)));
}
BOOST_AUTO_TEST_CASE(einsum_of_three) {
    expect_both_orders<sums_of_products>("einsum", uniform<tensor<double, N, B, A>>(5, -1, 1, extent<N>(4)),
                                         uniform<tensor<double, B, C, N>>(6, -1, 1, extent<N>(4)),
                                         uniform<tensor<double, N, A>>(7, -1, 1, extent<N>(4)));
}
BOOST_AUTO_TEST_CASE(matmul_of_positional_tensors) {
    expect_both_orders<matrix_product>("matmul", uniform<ndarray<double, 3, 5>>(8, -1, 1),
                                       uniform<ndarray<double, 5, 3>>(9, -1, 1));
}
