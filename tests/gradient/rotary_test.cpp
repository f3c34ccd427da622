// SPDX-License-Identifier: MIT
// Rotary position embedding: against its formula and central differences, in both pairings.
#define BOOST_TEST_MODULE gradient_rotary
#include "../support/gradient_check.hpp"

using namespace gradient_check;

struct Batch : at_most<3> {};
struct Time : at_most<7> {};
struct Heads : axis<2> {};
struct HeadDim : axis<6> {};
struct Wide : axis<300> {};

namespace {

template <class D, rotary_pairs Pairs>
struct rotated {
    constexpr auto operator()(auto x, auto positions) const { return rotary<D, Pairs>(x, positions, 100.0); }
};
template <rotary_pairs Pairs>
struct projected {
    constexpr auto operator()(auto x, auto positions) const { return project(rotary<HeadDim, Pairs>(x, positions)); }
};
template <rotary_pairs Pairs>
struct squared {  // not linear, so that second derivatives do not vanish
    constexpr auto operator()(auto x, auto positions) const {
        auto y = rotary<HeadDim, Pairs>(x * x, positions);
        return project(y);
    }
};

tensor<std::int32_t, Batch, Time> some_positions() {
    tensor<std::int32_t, Batch, Time> p(extent<Batch>(2), extent<Time>(3));
    const std::int32_t all[] = {0, 1, 2, 40, 41, 7};
    p.assign(std::begin(all), std::end(all));
    return p;
}

template <class D, rotary_pairs Pairs>
void expect_formula() {
    tensor<std::int32_t, Batch, Time> positions(extent<Batch>(2), extent<Time>(3));
    const std::int32_t all[] = {0, 1, 2, 40, 41, 7000};
    positions.assign(std::begin(all), std::end(all));
    const auto x = uniform<tensor<double, Batch, Heads, Time, D>>(1, -1, 1, extent<Batch>(2), extent<Time>(3));
    evaluation_of<double, models<>, rotated<D, Pairs>, values<Batch, Heads, Time, D>, tokens<Batch, Time>> step;
    step(x, positions);
    const auto y = step.template result<0>();
    const std::size_t half = D::capacity / 2;
    double worst = 0;
    for (std::size_t b = 0; b < 2; ++b)
        for (std::size_t h = 0; h < 2; ++h)
            for (std::size_t t = 0; t < 3; ++t)
                for (std::size_t i = 0; i < half; ++i) {
                    const bool halves = Pairs == rotary_pairs::halves;
                    const std::size_t p = halves ? i : 2 * i, q = halves ? i + half : 2 * i + 1;
                    const double angle = positions(b, t) * std::pow(100.0, -2.0 * static_cast<double>(i) /
                                                                               static_cast<double>(D::capacity));
                    const double real = x(b, h, t, p) * std::cos(angle) - x(b, h, t, q) * std::sin(angle);
                    const double imaginary = x(b, h, t, p) * std::sin(angle) + x(b, h, t, q) * std::cos(angle);
                    worst = std::fmax(worst, std::fabs(y(b, h, t, p) - real));
                    worst = std::fmax(worst, std::fabs(y(b, h, t, q) - imaginary));
                }
    BOOST_TEST(worst <= 1e-10);
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_formula_with_neighbours) {
    expect_formula<HeadDim, rotary_pairs::interleaved>();
    expect_formula<Wide, rotary_pairs::interleaved>();
}
BOOST_AUTO_TEST_CASE(the_formula_with_halves) {
    expect_formula<HeadDim, rotary_pairs::halves>();
    expect_formula<Wide, rotary_pairs::halves>();
}
BOOST_AUTO_TEST_CASE(gradients) {
    const auto x = uniform<tensor<double, Batch, Heads, Time, HeadDim>>(2, -1, 1, extent<Batch>(2), extent<Time>(3));
    expect_gradients<projected<rotary_pairs::interleaved>>("neighbours", x, some_positions());
    expect_gradients<projected<rotary_pairs::halves>>("halves", x, some_positions());
}
BOOST_AUTO_TEST_CASE(gradients_of_gradients) {
    const auto x = uniform<tensor<double, Batch, Heads, Time, HeadDim>>(3, -1, 1, extent<Batch>(2), extent<Time>(3));
    expect_gradients<penalised<squared<rotary_pairs::interleaved>>>("neighbours", x, some_positions());
}
BOOST_AUTO_TEST_CASE(a_rotation_keeps_lengths_and_adds_up) {
    // rotary(rotary(x, a), b) = rotary(x, a + b)
    using input = tensor<double, Batch, Heads, Time, HeadDim>;
    const auto x = uniform<input>(4, -1, 1, extent<Batch>(2), extent<Time>(3));
    tensor<std::int32_t, Batch, Time> a = some_positions(), sum = a;
    for (std::size_t i = 0; i < sum.size(); ++i) sum.data()[i] += sum.data()[i];
    const input twice = rotary<HeadDim>(rotary<HeadDim>(x, a), a), once = rotary<HeadDim>(x, sum);
    for (std::size_t i = 0; i < once.size(); ++i) BOOST_TEST(std::fabs(twice.data()[i] - once.data()[i]) <= 1e-12);
}
