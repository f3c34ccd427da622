// SPDX-License-Identifier: MIT
// error-regex: operation_has_no_gradient<.*"wrap"
// max-lines-gcc: 20
// max-lines-clang: 24
//
// A user's element-wise operation without a pullback, differentiated.
#include <tenet/program.hpp>

using namespace tenet;

struct In : axis<8> {};

struct wrap_op {
    static constexpr std::string_view name = "wrap";
    template <class B>
    static B forward(B x) {
        return x - simd::trunc(x);
    }
#ifndef TENET_MISTAKE
    static constexpr graph::value pullback(graph::value dy, graph::value, graph::value) { return dy; }
#endif
};
struct loss {
    constexpr auto operator()(auto x) const { return sum(elementwise<wrap_op>(x)); }
};

float train(tensor<float, In> const& x) {
    basic_program<float, program_mode::gradients, models<>, loss, variable<In>> step;
    return step.value_and_grad(x);
}
