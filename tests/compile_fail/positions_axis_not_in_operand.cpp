// SPDX-License-Identifier: MIT
// error: positions_axis_not_in_operand<Keys, 64, axes<Batch, Time>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Keys : axis<64> {};

void compute() {
    tensor<float, Batch, Time> x;
#ifdef TENET_MISTAKE
    static_cast<void>(positions<Keys>(x));
#else
    static_cast<void>(positions<Time>(x));
#endif
}
