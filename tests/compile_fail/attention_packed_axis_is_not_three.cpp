// SPDX-License-Identifier: MIT
// error: attention_packed_axis_is_not_three<Pair, 2, axes<Batch, Time, Pair, Heads, HeadDim>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Heads : axis<6> {};
struct HeadDim : axis<64> {};
struct QKV : axis<3> {};
struct Pair : axis<2> {};

void compute() {
    tensor<float, Batch, Time, QKV, Heads, HeadDim> qkv;
    tensor<float, Batch, Time, Pair, Heads, HeadDim> kv;
#ifdef TENET_MISTAKE
    static_cast<void>(causal_attention<Time, HeadDim, Pair>(kv));
#else
    static_cast<void>(causal_attention<Time, HeadDim, QKV>(qkv));
#endif
}
