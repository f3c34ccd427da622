// SPDX-License-Identifier: MIT
// error: nothing_to_train<loss>
// max-lines-gcc: 20
// max-lines-clang: 24
#include <tenet/program.hpp>

using namespace tenet;

struct In : axis<8> {};

struct loss {
    constexpr auto operator()(auto x) const {
#ifdef TENET_MISTAKE
        return sum(stop_gradient(x * x));
#else
        return sum(stop_gradient(x) * x);
#endif
    }
};

float train(tensor<float, In> const& x) {
    basic_program<float, program_mode::gradients, models<>, loss, variable<In>> step;
    float value = step.value_and_grad(x);
    return value + step.input_gradient<0>()(0);
}
