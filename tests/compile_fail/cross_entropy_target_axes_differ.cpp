// SPDX-License-Identifier: MIT
// error: cross_entropy_target_axes_differ<axes<Batch, Time>, axes<Batch>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Vocab : axis<80> {};

void compute() {
    tensor<float, Batch, Time, Vocab> logits;
    tensor<std::int32_t, Batch, Time> targets;
    tensor<std::int32_t, Batch> last;
#ifdef TENET_MISTAKE
    static_cast<void>(cross_entropy<Vocab>(logits, last));
#else
    static_cast<void>(cross_entropy<Vocab>(logits, targets));
#endif
}
