// SPDX-License-Identifier: MIT
// Operations of one's own: element-wise with and without a gradient, and a primitive over whole tensors.
#include <tenet/op.hpp>
#include <tenet/program/expression.hpp>
#include <tenet/program/expression_gradients.hpp>

#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>

using namespace tenet;

struct Row : at_most<4> {};
struct Col : axis<6> {};
struct Later : axis<6> {};

// [elementwise]
/// y = x / (1 + |x|). dx = dy / (1 + |x|)^2.
struct softsign_op {
    static constexpr std::string_view name = "softsign";
    template <class Register>
    static Register forward(Register x) {
        return x / (Register(1) + simd::abs(x));
    }
    static constexpr graph::value pullback(graph::value dy, graph::value, graph::value x) {
        const graph::value root = 1.0 / (1.0 + graph::elementwise(graph::info_of<op::abs_op>, {x}));
        return dy * root * root;
    }
};
constexpr auto softsign(auto&& x) {
    return elementwise<softsign_op>(std::forward<decltype(x)>(x));
}
// [elementwise]

// [without]
/// y = the nearest integer. Without a pullback: asking for a gradient through it is a compile error that names it.
struct nearest_op {
    static constexpr std::string_view name = "nearest";
    template <class Register>
    static Register forward(Register x) {
        return simd::floor(x + Register(0.5f));
    }
};
constexpr auto nearest(auto&& x) {
    return elementwise<nearest_op>(std::forward<decltype(x)>(x));
}

/// The way out: y = nearest(x), with the gradient of x ("straight-through").
constexpr auto quantise(auto x) {
    return x + stop_gradient(nearest(x) - x);
}
// [without]

// [primitive]
/// y[..., c] = x[..., 0] + ... + x[..., c] along the axis Col, the last one. dx[..., c] = dy[..., c] + ... to the end.
struct running_sum_op {
    static constexpr std::string_view name = "running_sum";
    template <class X>
    using result = X;  // the axes of the result, from those of the operands

    template <class Y, class X>
    static void forward(Y y, X x) {
        const std::size_t n = x.template extent<Col>();
        for (std::size_t row = 0; row < x.size(); row += n) {
            typename Y::value_type sum = 0;
            for (std::size_t i = row; i < row + n; ++i) y.data()[i] = sum += x.data()[i];
        }
    }
    static constexpr auto pullback(auto dy, auto /*y*/, auto /*x*/) {
        auto later = rename<Col, Later>(dy);
        auto counts = cast<dtype::real>(greater_equal(positions<Later>(later), positions<Col>(dy)));
        return dot<Later>(later, counts);
    }
};
constexpr auto running_sum(auto&& x) {
    return custom<running_sum_op>(std::forward<decltype(x)>(x));
}
// [primitive]

// The greatest difference between the gradient of f and central differences, in double precision.
template <class F>
static double gradient_error(F f, tensor<double, Row, Col> x) {
    const auto exact = std::get<0>(value_and_grad(f, x).gradients);
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double kept = x.data()[i], h = 1e-5;
        x.data()[i] = kept + h;
        const double above = value_and_grad(f, x).value;
        x.data()[i] = kept - h;
        const double below = value_and_grad(f, x).value;
        x.data()[i] = kept;
        worst = std::fmax(worst, std::fabs((above - below) / (2 * h) - exact.data()[i]));
    }
    return worst;
}

int main(int argc, char** argv) {
    CLI::App app(
        "Operations of one's own: element-wise with and without a gradient, and a primitive over whole tensors.");
    int rows = 3;
    app.add_option("--rows", rows, "rows of the operand")->check(CLI::Range(1, 4))->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    tensor<double, Row, Col> x(extent<Row>(static_cast<std::size_t>(rows)));
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = std::sin(1.3 * static_cast<double>(i)) + 0.05;

    // [use]
    tensor<double, Row, Col> y = running_sum(softsign(x)) + nearest(x);
    // [use]
    std::printf("y[0] =");
    for (std::size_t c = 0; c < 6; ++c) std::printf(" %.4f", y(0, c));

    const double once = gradient_error([](auto v) { return sum(running_sum(softsign(v)) * v); }, x);
    const double twice = gradient_error(
        [](auto v) {
            auto slope = grad(sum(exp(softsign(v))), v);  // the gradients of one's own operations have gradients
            return sum(slope * slope);
        },
        x);
    const auto through = std::get<0>(value_and_grad([](auto v) { return sum(3 * quantise(v)); }, x).gradients);
    const bool agree = once < 1e-7 && twice < 1e-7;
    std::printf("\nfirst and second derivatives agree with differences: %s\n", agree ? "yes" : "no");
    std::printf("straight-through slope: %g\n", through(0, 0));
    return agree && through(0, 0) == 3 ? 0 : 1;
}
