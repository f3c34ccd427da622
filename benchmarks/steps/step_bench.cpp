// SPDX-License-Identifier: MIT
// The network of micrograd's demo: 2-16-16-1 with ReLU, 100 points, hinge loss with decay, one step of SGD. So small
// that what counts is what surrounds the arithmetic.
#include <benchmark/benchmark.h>

#include <cmath>

#include <tenet/nn.hpp>
#include <tenet/op.hpp>
#include <tenet/optim.hpp>
#include <tenet/program.hpp>

namespace {

using namespace tenet;

struct Point : axis<100> {};
struct In : axis<2> {};
struct First : axis<16> {};
struct Second : axis<16> {};

struct network {
    nn::linear<axes<In>, axes<First>> a;
    nn::linear<axes<First>, axes<Second>> b;
    nn::linear<axes<Second>, axes<>> c;
    constexpr auto operator()(auto x) const { return c(relu(b(relu(a(x))))); }
};
struct hinge {
    constexpr auto operator()(auto const& m, auto x, auto label) const { return mean(relu(1.0 - label * m(x))); }
};

void moons(benchmark::State& state) {
    parameters<network> theta;
    initialize(theta, [](parameter_leaf const& leaf) { return init::kaiming_uniform(leaf); }, 1);
    tensor<float, Point, In> x;
    tensor<float, Point> label;
    for (std::size_t i = 0; i < Point::capacity; ++i) {
        const float t = static_cast<float>(i / 2) * 0.0628f, side = i % 2 == 0 ? 1.0f : -1.0f;
        x.data()[2 * i] = side * std::cos(t) + (side < 0 ? 1.0f : 0.0f);
        x.data()[2 * i + 1] = side * std::sin(t) + (side < 0 ? 0.5f : 0.0f);
        label.data()[i] = side;
    }
    using step = program<network, hinge, values<Point, In>, values<Point>>;
    step run;
    sgd<step> optimise(sgd_options{});
    for (auto _ : state) {
        benchmark::DoNotOptimize(run.value_and_grad(theta, x, label));
        optimise.step(theta, run, 1e-2);
    }
}
BENCHMARK(moons)->Name("step/moons/tenet")->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
