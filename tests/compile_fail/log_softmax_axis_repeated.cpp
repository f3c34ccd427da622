// SPDX-License-Identifier: MIT
// error: log_softmax_axis_repeated<Time, 64>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Embed : axis<384> {};

void compute() {
    tensor<float, Batch, Time, Embed> x;
#ifdef TENET_MISTAKE
    static_cast<void>(log_softmax<Time, Embed, Time>(x));
#else
    static_cast<void>(log_softmax<Time, Embed>(x));
#endif
}
