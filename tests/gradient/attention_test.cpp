// SPDX-License-Identifier: MIT
// Numeric gradients of the attention operations: packed and separate, self and cross, padded, run-time lengths.
#define BOOST_TEST_MODULE gradient_attention
#include "../support/gradient_check.hpp"

using namespace gradient_check;

struct Batch : at_most<3> {};
struct Time : at_most<7> {};
struct Keys : at_most<6> {};
struct Heads : axis<2> {};
struct HeadDim : axis<4> {};
struct Packed : axis<3> {};

namespace {

struct packed {
    constexpr auto operator()(auto x) const { return project(causal_attention<Time, HeadDim>(x)); }
};
struct causal {
    constexpr auto operator()(auto q, auto k, auto v) const {
        return project(causal_attention<Time, HeadDim>(q, k, v));
    }
};
struct cross {
    constexpr auto operator()(auto q, auto k, auto v) const { return project(attention<Time, Keys, HeadDim>(q, k, v)); }
};
struct padded {
    constexpr auto operator()(auto q, auto k, auto v, auto lengths) const {
        return project(padded_attention<Time, Keys, HeadDim>(q, k, v, lengths));
    }
};
struct self {
    constexpr auto operator()(auto x) const { return project(attention<Time, Time, HeadDim>(x, x * 0.5, sin(x))); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(causal_packed) {
    expect_gradients<packed>("packed", uniform<tensor<double, Batch, Time, Packed, Heads, HeadDim>>(
                                           1, -1, 1, extent<Batch>(2), extent<Time>(5)));
}
BOOST_AUTO_TEST_CASE(causal_separate_in_different_order) {
    expect_gradients<causal>(
        "causal", uniform<tensor<double, Batch, Time, Heads, HeadDim>>(2, -1, 1, extent<Batch>(2), extent<Time>(5)),
        uniform<tensor<double, Heads, Batch, Time, HeadDim>>(3, -1, 1, extent<Batch>(2), extent<Time>(5)),
        uniform<tensor<double, Time, HeadDim, Batch, Heads>>(4, -1, 1, extent<Batch>(2), extent<Time>(5)));
}
BOOST_AUTO_TEST_CASE(cross_attention) {
    expect_gradients<cross>(
        "cross", uniform<tensor<double, Batch, Heads, Time, HeadDim>>(5, -1, 1, extent<Batch>(2), extent<Time>(5)),
        uniform<tensor<double, Batch, Heads, Keys, HeadDim>>(6, -1, 1, extent<Batch>(2), extent<Keys>(4)),
        uniform<tensor<double, Batch, Keys, Heads, HeadDim>>(7, -1, 1, extent<Batch>(2), extent<Keys>(4)));
}
BOOST_AUTO_TEST_CASE(keys_beyond_the_length_do_not_count) {
    tensor<std::int32_t, Batch> lengths;
    lengths.data()[0] = 3, lengths.data()[1] = 0, lengths.data()[2] = 4;
    expect_gradients<padded>("padded", uniform<tensor<double, Batch, Time, Heads, HeadDim>>(8, -1, 1, extent<Time>(5)),
                             uniform<tensor<double, Batch, Keys, Heads, HeadDim>>(9, -1, 1, extent<Keys>(4)),
                             uniform<tensor<double, Batch, Keys, Heads, HeadDim>>(10, -1, 1, extent<Keys>(4)), lengths);
}
BOOST_AUTO_TEST_CASE(self_attention_without_heads) {
    expect_gradients<self>("self", uniform<tensor<double, Time, HeadDim>>(11, -1, 1, extent<Time>(5)));
}
