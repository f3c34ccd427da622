// SPDX-License-Identifier: MIT
// error: dot_axis_missing_on_right<Hidden, 1536, axes<Embed, Heads>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Embed : axis<384> {};
struct Hidden : axis<1536> {};
struct Heads : axis<6> {};

void compute() {
    tensor<float, Batch, Embed, Hidden> x;
    tensor<float, Embed, Heads> w;
#ifdef TENET_MISTAKE
    static_cast<void>(dot<Hidden>(x, w));
#else
    static_cast<void>(dot<Embed>(x, w));
#endif
}
