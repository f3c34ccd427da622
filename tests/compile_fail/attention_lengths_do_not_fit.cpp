// SPDX-License-Identifier: MIT
// error: attention_lengths_do_not_fit<dtype::int32, axes<Time>>
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
    tensor<std::int32_t, Batch> lengths;
    tensor<std::int32_t, Time> other;
#ifdef TENET_MISTAKE
    static_cast<void>(padded_attention<Time, Keys, HeadDim>(q, k, v, other));
#else
    static_cast<void>(padded_attention<Time, Keys, HeadDim>(q, k, v, lengths));
#endif
}
