// SPDX-License-Identifier: MIT
// error: layer_norm_axis_not_in_operand<Hidden, 1536, axes<Batch, Embed>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Embed : axis<384> {};
struct Hidden : axis<1536> {};

void compute() {
    tensor<float, Batch, Embed> x;
#ifdef TENET_MISTAKE
    static_cast<void>(layer_norm<Hidden>(x));
#else
    static_cast<void>(layer_norm<Embed>(x));
#endif
}
