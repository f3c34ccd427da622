// SPDX-License-Identifier: MIT
// error: arrange_axes_differ<axes<Time, Embed>, axes<Batch, Time, Embed>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Embed : axis<384> {};

void compute() {
    tensor<float, Batch, Time, Embed> x;
#ifdef TENET_MISTAKE
    static_cast<void>(arrange<Time, Embed>(x));
#else
    static_cast<void>(arrange<Time, Embed, Batch>(x));
#endif
}
