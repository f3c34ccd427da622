// SPDX-License-Identifier: MIT
// error: gather_needs_an_int32_index<dtype::real>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Embed : axis<384> {};

void compute() {
    tensor<float, Batch, Time, Embed> x;
    tensor<std::int32_t, Batch, Time> index;
    tensor<float, Batch, Time> scores;
#ifdef TENET_MISTAKE
    static_cast<void>(gather<Embed>(x, scores));
#else
    static_cast<void>(gather<Embed>(x, index));
#endif
}
