// SPDX-License-Identifier: MIT
// error: select_axis_not_in_operand<QKV, 3, axes<Batch, Time>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct QKV : axis<3> {};

void compute() {
    tensor<float, Batch, Time> x;
#ifdef TENET_MISTAKE
    static_cast<void>(select<QKV, 1>(x));
#else
    static_cast<void>(select<Time, 1>(x));
#endif
}
