// SPDX-License-Identifier: MIT
// error: cross_entropy_axis_not_in_logits<Embed, 384, axes<Batch, Time, Vocab>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Vocab : axis<80> {};
struct Embed : axis<384> {};

void compute() {
    tensor<float, Batch, Time, Vocab> logits;
    tensor<std::int32_t, Batch, Time> targets;
#ifdef TENET_MISTAKE
    static_cast<void>(cross_entropy<Embed>(logits, targets));
#else
    static_cast<void>(cross_entropy<Vocab>(logits, targets));
#endif
}
