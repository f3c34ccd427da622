// SPDX-License-Identifier: MIT
// error: wrt_tensor_type_not_in_expression<tensor<float, Time>>
// max-lines: 20
#include <tenet/program.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};

void compute() {
    tensor<float, Batch> x;
    tensor<float, Time> y;
#ifdef TENET_MISTAKE
    static_cast<void>(value_and_grad(sum(x * x), wrt(y)).value);
#else
    static_cast<void>(value_and_grad(sum(x * x), wrt(x)).value);
#endif
}
