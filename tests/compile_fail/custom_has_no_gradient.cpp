// SPDX-License-Identifier: MIT
// error-regex: operation_has_no_gradient<.*"cumulative_sum"
// max-lines-gcc: 20
// max-lines-clang: 24
//
// A user's primitive without a pullback, differentiated.
#include <tenet/op.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct In : axis<8> {};

struct cumulative_sum_op {
    static constexpr std::string_view name = "cumulative_sum";
    template <class X>
    using result = X;
    template <class Y, class X>
    static void forward(Y y, X x) {
        float total = 0;
        for (std::size_t i = 0; i < x.size(); ++i)
            y.data()[i] = static_cast<decltype(0.0f)>(total += static_cast<float>(x.data()[i]));
    }
#ifndef TENET_MISTAKE
    static constexpr auto pullback(auto dy, auto, auto) { return dy; }
#endif
};
struct loss {
    constexpr auto operator()(auto x) const { return sum(custom<cumulative_sum_op>(x)); }
};

float train(tensor<float, In> const& x) {
    basic_program<float, program_mode::gradients, models<>, loss, variable<In>> step;
    return step.value_and_grad(x);
}
