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
struct Group : axis<3> {};
struct Marked : at_most<7>, sequence {};
struct Long : at_most<80>, sequence {};

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

struct grouped {
    constexpr auto operator()(auto q, auto k, auto v) const {
        return project(causal_attention<sequence, HeadDim, Group>(q, k, v));
    }
};
// The same by repeating keys and values in memory.
struct repeated {
    constexpr auto operator()(auto q, auto k, auto v) const {
        auto ones = q * 0.0 + 1.0;
        return causal_attention<sequence, HeadDim>(q, k * ones, v * ones);
    }
};
struct grouped_result {
    constexpr auto operator()(auto q, auto k, auto v) const {
        return causal_attention<sequence, HeadDim, Group>(q, k, v);
    }
};

template <class Time, class F>
auto result_of(auto const& q, auto const& k, auto const& v) {
    evaluation_of<double, models<>, F, values<Batch, Time, Heads, Group, HeadDim>, values<Batch, Time, Heads, HeadDim>,
                  values<Batch, Time, Heads, HeadDim>>
        step;
    step(q, k, v);
    return step.template result<0>();
}

template <class Time>
void expect_equal_to_repeated(std::size_t time, double tolerance) {
    const auto q =
        uniform<tensor<double, Batch, Time, Heads, Group, HeadDim>>(21, -1, 1, extent<Batch>(2), extent<Time>(time));
    const auto k =
        uniform<tensor<double, Batch, Time, Heads, HeadDim>>(22, -1, 1, extent<Batch>(2), extent<Time>(time));
    const auto v =
        uniform<tensor<double, Batch, Time, Heads, HeadDim>>(23, -1, 1, extent<Batch>(2), extent<Time>(time));
    const auto a = result_of<Time, grouped_result>(q, k, v), b = result_of<Time, repeated>(q, k, v);
    BOOST_TEST_REQUIRE(a.size() == b.size());
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) worst = std::fmax(worst, std::fabs(a.data()[i] - b.data()[i]));
    BOOST_TEST(worst <= tolerance);
}

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
BOOST_AUTO_TEST_CASE(heads_that_share_keys) {
    expect_gradients<grouped>(
        "grouped",
        uniform<tensor<double, Batch, Marked, Heads, Group, HeadDim>>(12, -1, 1, extent<Batch>(2), extent<Marked>(5)),
        uniform<tensor<double, Batch, Marked, Heads, HeadDim>>(13, -1, 1, extent<Batch>(2), extent<Marked>(5)),
        uniform<tensor<double, Batch, Marked, Heads, HeadDim>>(14, -1, 1, extent<Batch>(2), extent<Marked>(5)));
}
BOOST_AUTO_TEST_CASE(heads_that_share_keys_with_axes_in_another_order) {
    expect_gradients<grouped>(
        "grouped, other order",
        uniform<tensor<double, Group, Batch, Heads, Marked, HeadDim>>(15, -1, 1, extent<Batch>(2), extent<Marked>(5)),
        uniform<tensor<double, Heads, Batch, Marked, HeadDim>>(16, -1, 1, extent<Batch>(2), extent<Marked>(5)),
        uniform<tensor<double, Batch, Marked, HeadDim, Heads>>(17, -1, 1, extent<Batch>(2), extent<Marked>(5)));
}
BOOST_AUTO_TEST_CASE(gradients_of_shared_keys_beyond_a_tile) {
    expect_gradients<grouped>(
        "grouped, long",
        uniform<tensor<double, Batch, Long, Heads, Group, HeadDim>>(18, -1, 1, extent<Batch>(1), extent<Long>(70)),
        uniform<tensor<double, Batch, Long, Heads, HeadDim>>(19, -1, 1, extent<Batch>(1), extent<Long>(70)),
        uniform<tensor<double, Batch, Long, Heads, HeadDim>>(20, -1, 1, extent<Batch>(1), extent<Long>(70)));
}
BOOST_AUTO_TEST_CASE(shared_heads_equal_repeated_ones) {
    expect_equal_to_repeated<Marked>(5, 1e-14);
    expect_equal_to_repeated<Marked>(1, 1e-14);
    expect_equal_to_repeated<Long>(77, 1e-14);
}
