// SPDX-License-Identifier: MIT
// Logistic regression in xtensor, with gradients from tenet. The data, the weights and the update are xtensor's; what
// tenet adds is one include, the names of the axes, and `value_and_grad`.
#include <tenet/interop.hpp>

#if __has_include(<xtensor/generators/xrandom.hpp>)
#include <xtensor/generators/xrandom.hpp>
#else
#include <xtensor/xrandom.hpp>
#endif

#include <cstdio>

namespace {

struct Sample : tenet::at_most<1000> {};
struct Feature : tenet::axis<2> {};

using features = tenet::tensor<float, Sample, Feature>;
using labels = tenet::tensor<float, Sample>;

}  // namespace

int main() {
    // As it was before: two clouds of points around (1, 1) and (-1, -1), and which cloud each point is from.
    xt::random::seed(1);
    xt::xtensor<float, 1> y = xt::cast<float>(xt::random::rand<float>({1000}) < 0.5f);
    xt::xtensor<float, 2> x = xt::random::randn<float>({1000, 2}) + 2.0f * xt::view(y, xt::all(), xt::newaxis()) - 1.0f;
    xt::xtensor<float, 1> w = {0, 0};
    xt::xtensor<float, 0> b = 0;

    // What tenet needs: the same arrays with named axes. Another shape than [up to 1000, 2] would throw here.
    const auto points = tenet::from_xtensor<features>(x);
    const auto classes = tenet::from_xtensor<labels>(y);

    float loss = 0;
    for (int step = 0; step < 200; ++step) {
        // [gradients]
        const auto weight = tenet::from_xtensor<tenet::tensor<float, Feature>>(w);
        const auto bias = tenet::from_xtensor<tenet::tensor<float>>(b);

        // The mean of -ln p(class | point), p = sigmoid(z). Nothing runs until its value is asked for.
        auto z = tenet::dot<Feature>(points, weight) + bias;
        auto [value, gradients] = value_and_grad(mean(softplus(z) - classes * z), wrt(weight, bias));

        // The gradients are seen as xtensor arrays.
        w -= 0.5f * tenet::view(std::get<0>(gradients));
        b -= 0.5f * tenet::view(std::get<1>(gradients));
        // [gradients]
        loss = value;
        if (step % 40 == 0) std::printf("step %3d  loss %.4f\n", step, static_cast<double>(loss));
    }

    const xt::xtensor<float, 1> z = xt::sum(x * w, {1}) + b();
    const auto right = xt::mean(xt::cast<float>(xt::equal(z > 0.0f, y > 0.5f)))();
    std::printf("loss %.4f, %.1f %% right\n", static_cast<double>(loss), 100 * static_cast<double>(right));
    return right > 0.9f && loss < 0.25f ? 0 : 1;
}
