// SPDX-License-Identifier: MIT
// error: dot_axis_missing_on_right<Time, 64, axes<Embed>>
// max-lines: 20
//
// One mistake whose result goes through everything that takes an expression: the first error is the only one.
#include <tenet/op.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct Time : axis<64> {};
struct Embed : axis<8> {};

float compute(tensor<float, Time, Embed> const& x, tensor<float, Embed> const& w) {
#ifdef TENET_MISTAKE
    auto y = dot<Time>(x, w);
#else
    auto y = dot<Embed>(x, w);
#endif
    tensor<float, Time> z = relu(y) - 2.0 * y;
    z = softmax<Time>(where(greater(y, 0.0), y, z)) + z;
    auto [value, gradients] = value_and_grad(sum(y * y) + mean(exp(y)), wrt(x, w));
    return value + std::get<0>(gradients)(0, 0) + std::get<1>(gradients)(0) + z(0);
}
