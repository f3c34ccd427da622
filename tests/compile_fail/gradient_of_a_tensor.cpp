// SPDX-License-Identifier: MIT
// error: gradient_of_a_tensor<axes<In>>
// max-lines-gcc: 20
// max-lines-clang: 35
#include <tenet/program.hpp>

using namespace tenet;

struct In : axis<8> {};

struct loss {
    constexpr auto operator()(auto x, auto y) const {
#ifdef TENET_MISTAKE
        auto [dx, dy] = grad(x * y, x, y);
#else
        auto [dx, dy] = grad(sum(x * y), x, y);
#endif
        return sum(dx * dx + dy);
    }
};

float train(tensor<float, In> const& x) {
    basic_program<float, program_mode::gradients, models<>, loss, variable<In>, variable<In>> step;
    return step.value_and_grad(x, x);
}
