// SPDX-License-Identifier: MIT
// error: rename_extent_differs<Time, 64, Half, 32>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Keys : axis<64> {};
struct Half : axis<32> {};

void compute() {
    tensor<float, Batch, Time> x;
#ifdef TENET_MISTAKE
    static_cast<void>(rename<Time, Half>(x));
#else
    static_cast<void>(rename<Time, Keys>(x));
#endif
}
