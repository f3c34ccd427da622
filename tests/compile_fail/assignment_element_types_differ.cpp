// SPDX-License-Identifier: MIT
// error: assignment_element_types_differ<float, double>
// max-lines: 20
#include <tenet/program.hpp>

using namespace tenet;

struct Batch : at_most<12> {};

void compute() {
    tensor<double, Batch> x;
    tensor<float, Batch> y;
    tensor<double, Batch> z;
#ifdef TENET_MISTAKE
    static_cast<void>(y = exp(x));
#else
    static_cast<void>(z = exp(x));
#endif
}
