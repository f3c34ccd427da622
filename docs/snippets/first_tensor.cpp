// SPDX-License-Identifier: MIT
// Tensors with named axes, an expression, its gradient.
#include <tenet/op.hpp>
#include <tenet/program/expression.hpp>
#include <tenet/program/expression_gradients.hpp>

#include <cstdio>

using namespace tenet;

// [axes]
struct Batch : at_most<4> {};  // 1 to 4 rows, known at run time
struct In : axis<3> {};        // always 3
struct Out : axis<2> {};
// [axes]

int main() {
    // [tensor]
    const float values[] = {1, 2, 3, 4, 5, 6};
    tensor<float, Batch, In> x(extent<Batch>(2));  // 2 rows, zero at first
    x.assign(std::begin(values), std::end(values));
    tensor<float, In, Out> w{1, 0, 0, 1, 1, 1};
    tensor<float, Out> b{0.5f, -0.5f};
    // [tensor]

    // [expression]
    tensor<float, Batch, Out> y = relu(dot<In>(x, w) + b);
    std::printf("%g %g | %g %g\n", y(0, 0), y(0, 1), y(1, 0), y(1, 1));  // 4.5 4.5 | 10.5 10.5
    // [expression]

    // [gradient]
    auto [loss, gradients] = value_and_grad(mean(relu(dot<In>(x, w) + b)), wrt(w, b));
    auto& [dw, db] = gradients;
    std::printf("loss %g, dw[0, 0] %g, db[0] %g\n", loss, dw(0, 0), db(0));  // loss 7.5, dw[0, 0] 1.25, db[0] 0.5
    // [gradient]
}
