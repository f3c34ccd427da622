// SPDX-License-Identifier: MIT
// error: rename_axis_already_in_operand<Keys, 64, axes<Time, Keys>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Time : axis<64> {};
struct Keys : axis<64> {};
struct HeadDim : axis<64> {};

void compute() {
    tensor<float, Time, Keys> x;
#ifdef TENET_MISTAKE
    static_cast<void>(rename<Time, Keys>(x));
#else
    static_cast<void>(rename<Time, HeadDim>(x));
#endif
}
