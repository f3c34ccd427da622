// SPDX-License-Identifier: MIT
// error-regex: rotary_positions_do_not_fit<.*axes<Batch, Time>, axes<Batch, HeadDim> ?>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<4> {};
struct Time : axis<16> {};
struct HeadDim : axis<8> {};
struct Odd : axis<7> {};

void compute() {
    tensor<float, Batch, HeadDim> x;
    tensor<std::int32_t, Batch, Time> at;
    tensor<std::int32_t, Batch> first;
#ifdef TENET_MISTAKE
    static_cast<void>(rotary<HeadDim>(x, at));
#else
    static_cast<void>(rotary<HeadDim>(x, first));
#endif
}
