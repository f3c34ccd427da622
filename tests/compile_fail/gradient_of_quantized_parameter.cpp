// SPDX-License-Identifier: MIT
// error-regex: gradient_of_quantized_parameter<.*"layer.weight"
// max-lines-gcc: 20
// max-lines-clang: 24
#include <tenet/adapt.hpp>
#include <tenet/nn.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct In : axis<8> {};
struct Out : axis<4> {};

struct model {
    nn::linear<axes<In>, axes<Out>> layer;
    constexpr auto operator()(auto x) const { return layer(x); }
};
using stored = quantized<model, storage::nf4>;

struct penalty {
    constexpr auto operator()(auto const& m, auto x) const {
#ifdef TENET_MISTAKE
        auto g = grad(sum(m(x)), m.layer.weight);
#else
        auto g = grad(sum(m(x)), m.layer.bias);
#endif
        return sum(g * g);
    }
};

float run(parameters<stored> const& theta, tensor<float, In> const& x) {
    evaluation<stored, penalty, values<In>> step;
    return step(theta, x);
}
