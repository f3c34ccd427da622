// SPDX-License-Identifier: MIT
// error: slice_out_of_range<Time, 64, Half, 40, 32>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Half : axis<32> {};

void compute() {
    tensor<float, Batch, Time> x;
#ifdef TENET_MISTAKE
    static_cast<void>(slice<Time, Half, 40>(x));
#else
    static_cast<void>(slice<Time, Half, 32>(x));
#endif
}
