// SPDX-License-Identifier: MIT
// error: logsumexp_axis_not_in_operand<Vocab, 80, axes<Batch, Time, Embed>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Vocab : axis<80> {};
struct Embed : axis<384> {};

void compute() {
    tensor<float, Batch, Time, Embed> x;
#ifdef TENET_MISTAKE
    static_cast<void>(logsumexp<Vocab>(x));
#else
    static_cast<void>(logsumexp<Embed>(x));
#endif
}
