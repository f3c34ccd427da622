// SPDX-License-Identifier: MIT
// error: loss_is_not_a_scalar<axes<Batch>>
// max-lines-gcc: 20
// max-lines-clang: 24
#include <tenet/op.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct In : axis<8> {};

struct model {
    parameter<In> w;
    constexpr auto operator()(auto x) const {
#ifdef TENET_MISTAKE
        return dot<In>(x, w);
#else
        return sum(dot<In>(x, w));
#endif
    }
};

float train(parameters<model>& theta, tensor<float, Batch, In> const& x) {
    program<model, call_model, values<Batch, In>> step;
    return step.value_and_grad(theta, x);
}
