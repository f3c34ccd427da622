// SPDX-License-Identifier: MIT
// error: merge_changes_element_count<Embed, 384, axes<Heads, Half>, 192>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Half : axis<32> {};
struct Embed : axis<384> {};
struct Heads : axis<6> {};
struct HeadDim : axis<64> {};

void compute() {
    tensor<float, Batch, Heads, Half> x;
    tensor<float, Batch, Heads, HeadDim> y;
#ifdef TENET_MISTAKE
    static_cast<void>(merge<Embed, Heads, Half>(x));
#else
    static_cast<void>(merge<Embed, Heads, HeadDim>(y));
#endif
}
