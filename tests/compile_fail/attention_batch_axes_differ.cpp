// SPDX-License-Identifier: MIT
// error: attention_batch_axes_differ<axes<Batch, Time, Heads, HeadDim>, axes<Batch, Keys, HeadDim>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Keys : axis<64> {};
struct Heads : axis<6> {};
struct HeadDim : axis<64> {};

void compute() {
    tensor<float, Batch, Time, Heads, HeadDim> q;
    tensor<float, Batch, Keys, Heads, HeadDim> k;
    tensor<float, Batch, Keys, Heads, HeadDim> v;
    tensor<float, Batch, Keys, HeadDim> shared;
#ifdef TENET_MISTAKE
    static_cast<void>(attention<Time, Keys, HeadDim>(q, shared, v));
#else
    static_cast<void>(attention<Time, Keys, HeadDim>(q, k, v));
#endif
}
