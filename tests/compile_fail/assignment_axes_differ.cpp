// SPDX-License-Identifier: MIT
// error: assignment_axes_differ<axes<Batch, Embed>, axes<Batch, Time>>
// max-lines: 20
#include <tenet/program.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Embed : axis<384> {};

void compute() {
    tensor<float, Batch, Time> x;
    tensor<float, Batch, Embed> y;
    tensor<float, Time, Batch> z;
#ifdef TENET_MISTAKE
    static_cast<void>(y = exp(x));
#else
    static_cast<void>(z = exp(x));
#endif
}
