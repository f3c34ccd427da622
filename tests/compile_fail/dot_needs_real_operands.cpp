// SPDX-License-Identifier: MIT
// error: dot_needs_real_operands<dtype::real, dtype::int32>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};

void compute() {
    tensor<float, Batch, Time> x;
    tensor<std::int32_t, Batch, Time> tokens;
#ifdef TENET_MISTAKE
    static_cast<void>(dot<Time>(x, tokens));
#else
    static_cast<void>(dot<Time>(x, cast<dtype::real>(tokens)));
#endif
}
