// SPDX-License-Identifier: MIT
// error: dot_axis_repeated<Embed, 384>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Embed : axis<384> {};
struct Hidden : axis<1536> {};

void compute() {
    tensor<float, Batch, Embed> x;
    tensor<float, Embed, Hidden> w;
#ifdef TENET_MISTAKE
    static_cast<void>(dot<Embed, Embed>(x, w));
#else
    static_cast<void>(dot<Embed>(x, w));
#endif
}
