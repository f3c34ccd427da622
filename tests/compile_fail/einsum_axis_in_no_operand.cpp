// SPDX-License-Identifier: MIT
// error: einsum_axis_in_no_operand<Hidden, 1536>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Embed : axis<384> {};
struct Hidden : axis<1536> {};
struct Heads : axis<6> {};

void compute() {
    tensor<float, Batch, Embed> x;
    tensor<float, Embed, Heads> w;
#ifdef TENET_MISTAKE
    static_cast<void>(einsum<axes<Batch, Hidden>>(x, w));
#else
    static_cast<void>(einsum<axes<Batch, Heads>>(x, w));
#endif
}
