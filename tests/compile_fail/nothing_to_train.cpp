// SPDX-License-Identifier: MIT
// error: nothing_to_train<loss>
// max-lines-gcc: 20
// max-lines-clang: 24
#include <tenet/op.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct In : axis<8> {};

struct model {
    parameter<In> w;
    constexpr auto operator()(auto x) const { return dot<In>(x, w); }
};
struct loss {
    constexpr auto operator()(auto const& m, auto x) const {
#ifdef TENET_MISTAKE
        return sum(frozen(m)(x));
#else
        return sum(frozen(m)(x) * m(x));
#endif
    }
};

float train(parameters<model>& theta, tensor<float, Batch, In> const& x) {
    program<model, loss, values<Batch, In>> step;
    return step.value_and_grad(theta, x);
}
