// SPDX-License-Identifier: MIT
// error: attention_has_no_sequence_axis<axes<Batch, Time, Heads, HeadDim>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<4> {};
struct Time : axis<16> {};
struct Marked : axis<16>, sequence {};
struct Heads : axis<2> {};
struct HeadDim : axis<8> {};

void compute() {
    tensor<float, Batch, Time, Heads, HeadDim> x;
    tensor<float, Batch, Marked, Heads, HeadDim> y;
#ifdef TENET_MISTAKE
    static_cast<void>(causal_attention<sequence, HeadDim>(x, x, x));
#else
    static_cast<void>(causal_attention<sequence, HeadDim>(y, y, y));
#endif
}
