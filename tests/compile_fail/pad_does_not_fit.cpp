// SPDX-License-Identifier: MIT
// error: pad_does_not_fit<Time, 64, Long, 96, 40>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Long : axis<96> {};

void compute() {
    tensor<float, Batch, Time> x;
#ifdef TENET_MISTAKE
    static_cast<void>(pad<Time, Long, 40>(x));
#else
    static_cast<void>(pad<Time, Long, 32>(x));
#endif
}
