// SPDX-License-Identifier: MIT
// error: concat_axis_not_in_operand<Keys, 64, axes<Batch, Half>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Keys : axis<64> {};
struct Half : axis<32> {};
struct Long : axis<96> {};
struct Both : axis<128> {};

void compute() {
    tensor<float, Batch, Time> x;
    tensor<float, Batch, Half> y;
#ifdef TENET_MISTAKE
    static_cast<void>(concat<Both, Time, Keys>(x, y));
#else
    static_cast<void>(concat<Long, Time, Half>(x, y));
#endif
}
