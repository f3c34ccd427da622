// SPDX-License-Identifier: MIT
// Numeric gradients of lookup, gather, one_hot, positions and cross-entropy, first and second order.
#define BOOST_TEST_MODULE gradient_gather
#include "../support/gradient_check.hpp"

using namespace gradient_check;

struct A : axis<3> {};
struct V : axis<8> {};
struct T : axis<4> {};
struct N : at_most<6> {};

namespace {

struct rows_by_index {
    constexpr auto operator()(auto table, auto index) const {
        return project_all(lookup(table, index), one_hot<V>(index) * sum<A>(table), table * positions<V>(table),
                           sum(table * positions<A>(table)), gather<A>(table, index));
    }
};
// The index shares N with x: both are walked together; T is new.
struct gathers {
    constexpr auto operator()(auto x, auto index, auto other) const {
        return project_all(gather<V>(x, index), gather<V>(x, other), gather<A>(x, other));
    }
};
template <reduction R, int Smoothing, std::size_t Classes>
struct entropies {
    static constexpr cross_entropy_options options{2, 0.01 * Smoothing, R, Classes};
    constexpr auto operator()(auto logits, auto targets) const {
        if constexpr (R == reduction::none) return project(cross_entropy_rows<V>(logits, targets, options));
        else return project(cross_entropy<V>(logits, targets, options));
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(lookup_one_hot_positions) {
    expect_both_orders<rows_by_index>("lookup", uniform<tensor<double, V, A>>(1, -1, 1),
                                      indices<tensor<std::int32_t, N, T>>(2, 3, extent<N>(5)));
}
BOOST_AUTO_TEST_CASE(gather_along_any_axis) {
    expect_both_orders<gathers>("gather", uniform<tensor<double, N, V, A>>(3, -1, 1, extent<N>(5)),
                                indices<tensor<std::int32_t, T, N>>(4, 8, extent<N>(5)),
                                indices<tensor<std::int32_t, N>>(5, 3, extent<N>(5)));
}
BOOST_AUTO_TEST_CASE(cross_entropy_mean_with_ignored_rows) {
    expect_both_orders<entropies<reduction::mean, 0, 0>>("mean",
                                                         uniform<tensor<double, N, T, V>>(6, -2, 2, extent<N>(3)),
                                                         indices<tensor<std::int32_t, N, T>>(7, 8, extent<N>(3)));
}
BOOST_AUTO_TEST_CASE(cross_entropy_sum_smoothed) {
    expect_both_orders<entropies<reduction::sum, 10, 6>>("sum, smoothing, padding classes",
                                                         uniform<tensor<double, V, N, T>>(8, -2, 2, extent<N>(3)),
                                                         indices<tensor<std::int32_t, T, N>>(9, 6, extent<N>(3)));
}
BOOST_AUTO_TEST_CASE(cross_entropy_of_every_row) {
    expect_both_orders<entropies<reduction::none, 10, 6>>("rows",
                                                          uniform<tensor<double, N, V>>(10, -2, 2, extent<N>(3)),
                                                          indices<tensor<std::int32_t, N>>(11, 6, extent<N>(3)));
}
