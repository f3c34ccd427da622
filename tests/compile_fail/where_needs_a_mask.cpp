// SPDX-License-Identifier: MIT
// error: where_needs_a_mask<dtype::real>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};

void compute() {
    tensor<float, Batch, Time> x;
#ifdef TENET_MISTAKE
    static_cast<void>(where(x, x, 0.0));
#else
    static_cast<void>(where(greater(x, 0.0), x, 0.0));
#endif
}
