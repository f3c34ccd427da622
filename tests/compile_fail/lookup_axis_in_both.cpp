// SPDX-License-Identifier: MIT
// error: lookup_axis_in_both<Embed, 384, axes<Batch, Embed>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Vocab : axis<80> {};
struct Embed : axis<384> {};

void compute() {
    tensor<float, Vocab, Embed> table;
    tensor<std::int32_t, Batch, Time> tokens;
    tensor<std::int32_t, Batch, Embed> other;
#ifdef TENET_MISTAKE
    static_cast<void>(lookup(table, other));
#else
    static_cast<void>(lookup(table, tokens));
#endif
}
