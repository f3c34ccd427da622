// SPDX-License-Identifier: MIT
// What tests of programs share: small modules, random numbers, numeric gradients by parameters.
#pragma once

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <tenet/op.hpp>
#include <tenet/program.hpp>

namespace program_check {

using namespace tenet;

/// y = sum over In of x weight, plus bias.
template <class In, class Out>
struct affine {
    parameter<In, Out> weight{};
    parameter<Out> bias{};
    constexpr auto operator()(auto const& x) const { return dot<In>(x, weight) + bias; }
};

/// x + w2 tanh(w1 x), with a hidden axis much longer than the outer one.
template <class E, class Hidden>
struct residual {
    affine<E, Hidden> up{};
    affine<Hidden, E> down{};
    constexpr auto operator()(auto const& x) const { return x + down(tanh(up(x))); }
};

template <class Range>
void randomise(Range&& values, unsigned seed, double low = -0.7, double high = 0.7) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<double> draw(low, high);
    for (auto& v : values) v = static_cast<std::remove_reference_t<decltype(v)>>(draw(engine));
}

/// A parameter block with random numbers everywhere but in the padding, which stays zero.
template <class Model, class T = double>
parameters<Model, T> random_parameters(unsigned seed) {
    parameters<Model, T> block;
    for (named_array const& a : block.arrays()) randomise(std::span(static_cast<T*>(a.data), a.size()), seed++);
    return block;
}

template <class Tensor, class... E>
Tensor random_tensor(unsigned seed, E... extents) {
    Tensor t(extents...);
    randomise(t, seed);
    return t;
}

template <class Tensor, class... E>
Tensor random_tokens(unsigned seed, std::int32_t limit, E... extents) {
    Tensor t(extents...);
    std::mt19937 engine(seed);
    for (std::int32_t& v : t) v = static_cast<std::int32_t>(engine() % static_cast<unsigned>(limit));
    return t;
}

/// No two buffers that are live at the same step share memory, and all lie in the arena. Returns the number of pairs
/// that are live together.
template <class P>
std::size_t expect_no_overlap() {
    std::size_t together = 0, wrong = 0;
    for (graph::buffer const& a : P::image.buffers) {
        wrong += a.begin > a.end || a.offset + a.bytes > P::activation_bytes;
        for (graph::buffer const& b : P::image.buffers) {
            if (&a >= &b || a.end < b.begin || b.end < a.begin) continue;
            ++together;
            wrong += a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
        }
    }
    BOOST_TEST(wrong == 0u);
    return together;
}

/// Compares the gradients that `run()` (a step of `p` that returns the loss) leaves with central differences, for every
/// trainable parameter; `blocks` are the parameter blocks of the models.
template <class P, class Run>
void expect_parameter_gradients(P& p, std::vector<std::span<double>> blocks, Run run) {
    expect_no_overlap<P>();
    run();
    const std::vector<double> found(p.gradients().begin(), p.gradients().end());
    double worst = 0;
    for (graph::trainable_slot const& slot : P::image.trainable) {
        graph::parameter_slot const& where = P::image.parameters[static_cast<std::size_t>(slot.parameter)];
        const std::span<double> block = blocks[static_cast<std::size_t>(where.set)];
        for (std::size_t k = 0; k < slot.elements; ++k) {
            double& w = block[where.offset + k];
            const double at = w, step = 1e-5;
            w = at + step;
            const double above = run();
            w = at - step;
            const double below = run();
            w = at;
            const double numeric = (above - below) / (2 * step);
            const double error = std::fabs(numeric - found[slot.offset + k]) / std::fmax(1, std::fabs(numeric));
            if (!(error <= worst)) worst = error;
        }
    }
    BOOST_TEST(worst <= 1e-7);
}

/// The greatest difference of two ranges of the same length.
template <class A, class B>
double greatest_difference(A const& a, B const& b) {
    BOOST_TEST_REQUIRE(a.size() == b.size());
    double worst = 0;
    auto x = a.begin();
    for (auto y = b.begin(); y != b.end(); ++x, ++y) {
        const double d = std::fabs(static_cast<double>(*x) - static_cast<double>(*y));
        if (!(d <= worst)) worst = d;
    }
    return worst;
}

template <class P>
constexpr int count_of(graph::kind op) {
    int n = 0;
    for (graph::node const& node : P::image.nodes) n += node.op == op;
    return n;
}
}  // namespace program_check
