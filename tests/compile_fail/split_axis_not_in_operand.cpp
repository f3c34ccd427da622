// SPDX-License-Identifier: MIT
// error: split_axis_not_in_operand<Embed, 384, axes<Batch, Time>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Half : axis<32> {};
struct Embed : axis<384> {};
struct Heads : axis<6> {};
struct HeadDim : axis<64> {};
struct Pair : axis<2> {};

void compute() {
    tensor<float, Batch, Time> x;
#ifdef TENET_MISTAKE
    static_cast<void>(split<Embed, Heads, HeadDim>(x));
#else
    static_cast<void>(split<Time, Pair, Half>(x));
#endif
}
