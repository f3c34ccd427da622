// SPDX-License-Identifier: MIT
// The corners of operations: ties, zeros, infinities, masks as numbers, results that are not real.
#define BOOST_TEST_MODULE op_edges
#include "../../support/program_check.hpp"

#include <limits>

using namespace program_check;

struct A : axis<2> {};
struct B : axis<2> {};
struct C : axis<3> {};
struct V : axis<4> {};

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class F, class... Inputs>
using run = basic_program<double, program_mode::forward, models<>, F, Inputs...>;

template <std::size_t I, class P>
std::vector<double> values_of(P const& p) {
    const auto t = p.template result<I>();
    return {t.begin(), t.end()};
}
using numbers = std::vector<double>;

struct ties {
    constexpr auto operator()(auto x) const {
        return std::make_tuple(grad(sum(max<A, B>(x)), x), grad(sum(min<C>(x)), x), argmax<C>(x),
                               grad(sum(maximum(x, 1.0)), x));
    }
};
struct masks {
    constexpr auto operator()(auto x, auto t) const {
        const auto m = greater(x, 0.0);
        return std::make_tuple(sum(m), mean<C>(m), dot<C>(m, x), softmax<C>(m), max(m), m, t, argmax<C>(m),
                               sum(sum(m)));
    }
};
struct powers {
    constexpr auto operator()(auto x, auto y) const {
        return std::make_tuple(pow(x, y), grad(sum(pow(x, y)), x), grad(sum(pow(x, y)), y), grad(sum(pow(x, 0.0)), x),
                               grad(sum(pow(x, 2.0)), x));
    }
};
struct zero_vectors {
    constexpr auto operator()(auto x) const {
        const auto g = grad(sum(norm<C>(x)), x);
        return std::make_tuple(g, grad(sum(g * g * x), x), layer_norm<C>(x), grad(sum(layer_norm<C>(x) * x), x));
    }
};
struct masked_rows {
    constexpr auto operator()(auto x) const {
        const auto p = softmax<C>(x);
        const auto l = logsumexp<C>(x);
        return std::make_tuple(p, grad(sum(p * p), x), l, grad(sum(where(less(l, 0.0), 0.0, l)), x), log_softmax<C>(x));
    }
};
struct classes {
    constexpr auto operator()(auto x, auto t) const {
        return std::make_tuple(one_hot<V>(t), cast<dtype::int32>(x), cast<dtype::boolean>(x), sign(x),
                               clamp(x, -1.0, 1.0), grad(sum(clamp(x, -1.0, 1.0)), x));
    }
};
struct ignored {
    constexpr auto operator()(auto x, auto t) const {
        return std::make_tuple(cross_entropy<V>(x, t), cross_entropy_rows<V>(x, t));
    }
};

}  // namespace

// Four equal maxima over two axes that do not stand together: a quarter each.
BOOST_AUTO_TEST_CASE(equal_extrema_share_the_gradient) {
    run<ties, values<A, C, B>> p;
    tensor<double, A, C, B> x;
    x.fill(1);
    x(1, 2, 1) = 2;  // alone the greatest of its (A, B) plane, and not among the least of its row
    p(x);
    const auto greatest = p.result<0>(), least = p.result<1>(), equal = p.result<3>();
    BOOST_TEST(greatest(0, 0, 0) == 0.25);
    BOOST_TEST(greatest(1, 0, 1) == 0.25);
    BOOST_TEST(greatest(1, 2, 1) == 1.0);
    BOOST_TEST(greatest(0, 2, 0) == 0.0);
    BOOST_TEST(std::fabs(least(0, 0, 0) - 1.0 / 3) <= 1e-15);
    BOOST_TEST(least(1, 0, 1) == 0.5);
    BOOST_TEST(least(1, 2, 1) == 0.0);
    BOOST_TEST(values_of<2>(p) == (numbers{0, 0, 0, 2}));
    BOOST_TEST(equal(0, 0, 0) == 0.5);
    BOOST_TEST(equal(1, 2, 1) == 1.0);
}

BOOST_AUTO_TEST_CASE(masks_count_as_zeros_and_ones) {
    basic_program<float, program_mode::forward, models<>, masks, values<A, C>, tokens<C>> p;
    p(tensor<float, A, C>{1, -1, 2, -3, -4, 5}, tensor<std::int32_t, C>{16777217, -5, 2147483647});
    BOOST_TEST(values_of<0>(p) == numbers{3});
    BOOST_TEST(std::fabs(values_of<1>(p)[0] - 2.0 / 3) <= 1e-7);
    BOOST_TEST(values_of<2>(p) == (numbers{3, 5}));
    BOOST_TEST(std::fabs(values_of<3>(p)[1] - 1 / (1 + 2 * std::exp(1.0))) <= 1e-7);
    BOOST_TEST(values_of<4>(p) == numbers{1});
    BOOST_TEST(values_of<5>(p) == (numbers{1, 0, 1, 0, 0, 1}));
    BOOST_TEST(values_of<6>(p) == (numbers{16777217, -5, 2147483647}));
    BOOST_TEST(values_of<7>(p) == (numbers{0, 2}));
    BOOST_TEST(values_of<8>(p) == numbers{3});
}

BOOST_AUTO_TEST_CASE(powers_of_zero) {
    run<powers, values<C>, values<C>> p;
    p(tensor<double, C>{0, 0, -2}, tensor<double, C>{0, 3, 2});
    BOOST_TEST(values_of<0>(p) == (numbers{1, 0, 4}));
    BOOST_TEST(values_of<1>(p) == (numbers{0, 0, -4}));
    BOOST_TEST(values_of<2>(p)[0] == 0.0);
    BOOST_TEST(values_of<2>(p)[1] == 0.0);
    BOOST_TEST(values_of<3>(p) == (numbers{0, 0, 0}));
    BOOST_TEST(values_of<4>(p) == (numbers{0, 0, -4}));
}

BOOST_AUTO_TEST_CASE(zero_vectors_have_finite_gradients) {
    run<zero_vectors, values<A, C>> p;
    p(tensor<double, A, C>{0, 0, 0, 3, 0, 4});
    const auto g = values_of<0>(p);
    BOOST_TEST(g[0] == 0.0);
    BOOST_TEST(std::fabs(g[3] - 0.6) <= 1e-15);
    for (double v : values_of<1>(p)) BOOST_TEST(std::isfinite(v));
    for (double v : values_of<2>(p)) BOOST_TEST(std::isfinite(v));
    for (double v : values_of<3>(p)) BOOST_TEST(std::isfinite(v));
}

BOOST_AUTO_TEST_CASE(a_row_without_anything_to_see) {
    run<masked_rows, values<A, C>> p;
    p(tensor<double, A, C>{-infinity, -infinity, -infinity, 0, 0, -infinity});
    BOOST_TEST(values_of<0>(p) == (numbers{0, 0, 0, 0.5, 0.5, 0}));
    for (double v : values_of<1>(p)) BOOST_TEST(v == 0.0);
    BOOST_TEST(values_of<2>(p)[0] == -infinity);
    BOOST_TEST(std::fabs(values_of<2>(p)[1] - std::log(2.0)) <= 1e-15);
    BOOST_TEST(values_of<3>(p) == (numbers{0, 0, 0, 0.5, 0.5, 0}));
    BOOST_TEST(values_of<4>(p)[0] == -infinity);
    BOOST_TEST(values_of<4>(p)[5] == -infinity);
}

BOOST_AUTO_TEST_CASE(casts_and_classes) {
    run<classes, values<C>, tokens<A>> p;
    p(tensor<double, C>{-1.7, 0, 1}, tensor<std::int32_t, A>{3, 9});
    BOOST_TEST(values_of<0>(p) == (numbers{0, 0, 0, 1, 0, 0, 0, 0}));
    BOOST_TEST(values_of<1>(p) == (numbers{-1, 0, 1}));
    BOOST_TEST(values_of<2>(p) == (numbers{1, 0, 1}));
    BOOST_TEST(values_of<3>(p) == (numbers{-1, 0, 1}));
    BOOST_TEST(values_of<4>(p) == (numbers{-1, 0, 1}));
    BOOST_TEST(values_of<5>(p) == (numbers{0, 1, 1}));
}

BOOST_AUTO_TEST_CASE(nothing_but_ignored_targets) {
    run<ignored, values<A, V>, tokens<A>> p;
    p(random_tensor<tensor<double, A, V>>(1), tensor<std::int32_t, A>{-100, -100});
    BOOST_TEST(std::isnan(values_of<0>(p)[0]));
    BOOST_TEST(values_of<1>(p) == (numbers{0, 0}));
}
