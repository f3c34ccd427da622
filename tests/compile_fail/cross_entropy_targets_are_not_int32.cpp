// SPDX-License-Identifier: MIT
// error: cross_entropy_targets_are_not_int32<dtype::real>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Vocab : axis<80> {};

void compute() {
    tensor<float, Batch, Time, Vocab> logits;
    tensor<std::int32_t, Batch, Time> targets;
    tensor<float, Batch, Time> weights;
#ifdef TENET_MISTAKE
    static_cast<void>(cross_entropy<Vocab>(logits, weights));
#else
    static_cast<void>(cross_entropy<Vocab>(logits, targets));
#endif
}
