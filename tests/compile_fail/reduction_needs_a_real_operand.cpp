// SPDX-License-Identifier: MIT
// error-regex: reduction_needs_a_real_operand<.*sum_rule, dtype::int32>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};

void compute() {
    tensor<std::int32_t, Batch, Time> tokens;
#ifdef TENET_MISTAKE
    static_cast<void>(sum<Time>(tokens));
#else
    static_cast<void>(sum<Time>(cast<dtype::real>(tokens)));
#endif
}
