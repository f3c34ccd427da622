// SPDX-License-Identifier: MIT
// error: argmax_axis_not_in_operand<Vocab, 80, axes<Batch, Embed>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Vocab : axis<80> {};
struct Embed : axis<384> {};

void compute() {
    tensor<float, Batch, Embed> x;
#ifdef TENET_MISTAKE
    static_cast<void>(argmax<Vocab>(x));
#else
    static_cast<void>(argmax<Embed>(x));
#endif
}
