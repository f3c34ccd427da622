// SPDX-License-Identifier: MIT
// error: pad_axis_not_in_operand<Half, 32, axes<Batch, Time>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Half : axis<32> {};
struct Long : axis<96> {};

void compute() {
    tensor<float, Batch, Time> x;
#ifdef TENET_MISTAKE
    static_cast<void>(pad<Half, Long>(x));
#else
    static_cast<void>(pad<Time, Long>(x));
#endif
}
