// SPDX-License-Identifier: MIT
// error: merge_axis_already_in_operand<Embed, 384, axes<Embed, Heads, HeadDim>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Embed : axis<384> {};
struct Heads : axis<6> {};
struct HeadDim : axis<64> {};
struct Flat : axis<24576> {};

void compute() {
    tensor<float, Embed, Heads, HeadDim> x;
#ifdef TENET_MISTAKE
    static_cast<void>(merge<Embed, Heads, HeadDim>(x));
#else
    static_cast<void>(merge<Flat, Embed, HeadDim>(x));
#endif
}
