// SPDX-License-Identifier: MIT
// error-regex: operation_has_no_second_gradient<.*"attention"
// max-lines-gcc: 20
// max-lines-clang: 24
//
// The gradient of a gradient of attention.
#include <tenet/op.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct Batch : axis<2> {};
struct Time : axis<8> {};
struct HeadDim : axis<4> {};

struct loss {
    constexpr auto operator()(auto x) const {
        auto first = grad(sum(causal_attention<Time, HeadDim>(x, x, x)), x);
#ifdef TENET_MISTAKE
        return sum(first * first);
#else
        return sum(stop_gradient(first) * x);
#endif
    }
};

float train(tensor<float, Batch, Time, HeadDim> const& x) {
    basic_program<float, program_mode::gradients, models<>, loss, variable<Batch, Time, HeadDim>> step;
    return step.value_and_grad(x);
}
