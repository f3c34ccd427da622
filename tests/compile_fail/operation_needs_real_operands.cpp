// SPDX-License-Identifier: MIT
// error-regex: operation_needs_real_operands<.*exp_op, dtype::int32>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};

void compute() {
    tensor<std::int32_t, Batch, Time> tokens;
#ifdef TENET_MISTAKE
    static_cast<void>(exp(tokens));
#else
    static_cast<void>(exp(cast<dtype::real>(tokens)));
#endif
}
