// SPDX-License-Identifier: MIT
// error: attention_has_no_packed_axis<axes<Batch, Time, Heads, HeadDim>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Heads : axis<6> {};
struct HeadDim : axis<64> {};
struct QKV : axis<3> {};

void compute() {
    tensor<float, Batch, Time, QKV, Heads, HeadDim> qkv;
    tensor<float, Batch, Time, Heads, HeadDim> q;
#ifdef TENET_MISTAKE
    static_cast<void>(causal_attention<Time, HeadDim>(q));
#else
    static_cast<void>(causal_attention<Time, HeadDim>(qkv));
#endif
}
