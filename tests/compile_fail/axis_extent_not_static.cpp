// SPDX-License-Identifier: MIT
// error: axis_extent_not_static<Batch, 12>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};

void compute() {
    tensor<float, Batch, Time> x;
#ifdef TENET_MISTAKE
    static_cast<void>(select<Batch, 0>(x));
#else
    static_cast<void>(select<Time, 0>(x));
#endif
}
