// SPDX-License-Identifier: MIT
// error: mixed_precision<Real, Product>: Real must be float and Product must be tenet::bfloat16
// max-lines-gcc: 20
// max-lines-clang: 24
#include <tenet/op.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct In : axis<8> {};

struct model {
    parameter<In> w;
    constexpr auto operator()(auto x) const { return sum(dot<In>(x, w)); }
};

#ifdef TENET_MISTAKE
using precision = mixed_precision<double, bfloat16>;
#else
using precision = mixed_precision<float, bfloat16>;
#endif

float train(parameters<model>& theta, tensor<float, Batch, In> const& x) {
    program_of<precision, model, call_model, values<Batch, In>> step;
    return step.value_and_grad(theta, x);
}
