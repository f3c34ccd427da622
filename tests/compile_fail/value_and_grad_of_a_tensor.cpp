// SPDX-License-Identifier: MIT
// error: value_and_grad_of_a_tensor<axes<Batch>>
// max-lines: 20
#include <tenet/program.hpp>

using namespace tenet;

struct Batch : at_most<12> {};

void compute() {
    tensor<float, Batch> x;
#ifdef TENET_MISTAKE
    static_cast<void>(value_and_grad(x * x, wrt(x)).value);
#else
    static_cast<void>(value_and_grad(sum(x * x), wrt(x)).value);
#endif
}
