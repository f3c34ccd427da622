// SPDX-License-Identifier: MIT
// error: one_hot_axis_already_in_index<Time, 64, axes<Batch, Time>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Vocab : axis<80> {};

void compute() {
    tensor<std::int32_t, Batch, Time> tokens;
#ifdef TENET_MISTAKE
    static_cast<void>(one_hot<Time>(tokens));
#else
    static_cast<void>(one_hot<Vocab>(tokens));
#endif
}
