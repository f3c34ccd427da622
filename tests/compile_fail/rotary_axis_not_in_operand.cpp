// SPDX-License-Identifier: MIT
// error: rotary_axis_not_in_operand<Odd, 7, axes<Batch, Time, HeadDim>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<4> {};
struct Time : axis<16> {};
struct HeadDim : axis<8> {};
struct Odd : axis<7> {};

void compute() {
    tensor<float, Batch, Time, HeadDim> x;
    tensor<std::int32_t, Batch, Time> at;
#ifdef TENET_MISTAKE
    static_cast<void>(rotary<Odd>(x, at));
#else
    static_cast<void>(rotary<HeadDim>(x, at));
#endif
}
