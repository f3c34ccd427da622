// SPDX-License-Identifier: MIT
// error: pad_axis_already_in_operand<Long, 96, axes<Long, Time>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Time : axis<64> {};
struct Long : axis<96> {};
struct Both : axis<128> {};

void compute() {
    tensor<float, Long, Time> x;
#ifdef TENET_MISTAKE
    static_cast<void>(pad<Time, Long>(x));
#else
    static_cast<void>(pad<Time, Both>(x));
#endif
}
