// SPDX-License-Identifier: MIT
// error: split_axis_already_in_operand<Heads, 6, axes<Heads, Embed>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Third : axis<48> {};
struct Embed : axis<384> {};
struct Heads : axis<6> {};
struct HeadDim : axis<64> {};
struct Group : axis<8> {};

void compute() {
    tensor<float, Heads, Embed> x;
#ifdef TENET_MISTAKE
    static_cast<void>(split<Embed, Heads, HeadDim>(x));
#else
    static_cast<void>(split<Embed, Third, Group>(x));
#endif
}
