// SPDX-License-Identifier: MIT
// error: stack_body_changes_axes<axes<Batch, Embed>, axes<Batch, Hidden>>
// max-lines-gcc: 20
// max-lines-clang: 35
#include <tenet/op.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Embed : axis<8> {};
struct Hidden : axis<32> {};

struct block {
    parameter<Embed, Hidden> up;
    constexpr auto operator()(auto x) const {
        auto y = relu(dot<Embed>(x, up));
#ifdef TENET_MISTAKE
        return y;
#else
        return dot<Hidden>(y, up);
#endif
    }
};
struct model {
    stack<block, 3> h;
    constexpr auto operator()(auto x) const { return sum(h(x)); }
};

float train(parameters<model>& theta, tensor<float, Batch, Embed> const& x) {
    program<model, call_model, values<Batch, Embed>> step;
    return step.value_and_grad(theta, x);
}
