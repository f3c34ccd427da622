// SPDX-License-Identifier: MIT
// error: parameter_used_outside_its_stack<call_model>
// max-lines-gcc: 20
// max-lines-clang: 24
#include <tenet/program.hpp>

using namespace tenet;

struct Embed : axis<8> {};

struct block {
    parameter<Embed> scale;
    constexpr auto operator()(auto x) const { return x * scale; }
};
struct model {
    stack<block, 3> h;
    parameter<Embed> scale;
    constexpr auto operator()(auto x) const {
#ifdef TENET_MISTAKE
        return sum(h(x) * h.body.scale);
#else
        return sum(h(x) * scale);
#endif
    }
};

float train(parameters<model>& theta, tensor<float, Embed> const& x) {
    program<model, call_model, values<Embed>> step;
    return step.value_and_grad(theta, x);
}
