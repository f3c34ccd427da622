// SPDX-License-Identifier: MIT
// A bias, an activation and a residual after a matrix product are part of the product: one step, the same numbers.
#define BOOST_TEST_MODULE program_epilogue
#include "../../support/program_check.hpp"

using namespace program_check;

namespace {

struct N : at_most<40> {};
struct E : axis<24> {};
struct H : axis<96> {};

struct feed_forward {
    affine<E, H> up{};
    affine<H, E> down{};
    constexpr auto operator()(auto x) const { return x + down(gelu(up(x))); }
};
struct square_mean {
    constexpr auto operator()(auto const& m, auto x) const {
        const auto y = m(x);
        return mean(y * y);
    }
};
// The value before the activation and the product itself are read by others too.
struct read_elsewhere {
    constexpr auto operator()(auto const& m, auto x) const {
        const auto product = dot<E>(x, m.up.weight);
        const auto z = product + m.up.bias;
        return mean(relu(z) * sin(z)) + sum(product * product);
    }
};
// An operand that the product is added to comes from another product.
struct two_products {
    constexpr auto operator()(auto const& m, auto x) const {
        return mean(silu(dot<E>(x, m.up.weight)) + dot<E>(sin(x), m.up.weight));
    }
};

template <class F>
using trained = basic_program<double, program_mode::gradients, feed_forward, F, variable<N, E>>;

template <class P>
constexpr int product_groups() {
    int n = 0;
    for (std::size_t g = 0; g + 1 < P::image.group_begin.size(); ++g)
        n += P::image.group_begin[g] < P::image.group_begin[g + 1] &&
             P::image.at(P::image.members[static_cast<std::size_t>(P::image.group_begin[g])]).op == graph::kind::dot;
    return n;
}
// Bias and GELU after the first product, bias and residual after the second; what follows them is no epilogue.
static_assert(product_groups<evaluation_of<double, feed_forward, call_model, values<N, E>>>() == 2);
static_assert(product_groups<trained<square_mean>>() == 1);
static_assert(product_groups<trained<two_products>>() == 1);

const auto x = random_tensor<tensor<double, N, E>>(3, extent<N>(37));

template <class F>
void expect_gradients() {
    auto theta = random_parameters<feed_forward>(1);
    trained<F> p;
    expect_parameter_gradients(p, {{theta.data(), theta.size()}}, [&] { return p(theta, x); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(bias_activation_residual) {
    expect_gradients<square_mean>();
}
BOOST_AUTO_TEST_CASE(values_that_others_read) {
    expect_gradients<read_elsewhere>();
}
BOOST_AUTO_TEST_CASE(sum_of_products) {
    expect_gradients<two_products>();
}

BOOST_AUTO_TEST_CASE(the_formula) {
    const auto theta = random_parameters<feed_forward>(1);
    auto copy = theta;
    const auto w1 = copy.span("up.weight"), b1 = copy.span("up.bias"), w2 = copy.span("down.weight"),
               b2 = copy.span("down.bias");
    evaluation_of<double, feed_forward, call_model, values<N, E>> run;
    run(theta, x);
    const auto y = run.result();
    constexpr std::size_t e = E::capacity, h = H::capacity;
    double worst = 0;
    for (std::size_t i = 0; i < 37; ++i) {
        double hidden[h];
        for (std::size_t j = 0; j < h; ++j) {
            double z = b1[j];
            for (std::size_t k = 0; k < e; ++k) z += x.data()[i * e + k] * w1[k * h + j];
            hidden[j] = 0.5 * z * (1 + std::tanh(0.7978845608028654 * (z + 0.044715 * z * z * z)));
        }
        for (std::size_t k = 0; k < e; ++k) {
            double out = x.data()[i * e + k] + b2[k];
            for (std::size_t j = 0; j < h; ++j) out += hidden[j] * w2[j * e + k];
            worst = std::max(worst, std::fabs(out - y.data()[i * e + k]));
        }
    }
    BOOST_TEST(worst < 1e-12);
}
