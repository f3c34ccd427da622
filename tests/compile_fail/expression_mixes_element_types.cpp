// SPDX-License-Identifier: MIT
// error: expression_mixes_element_types<float, double>
// max-lines: 30
#include <tenet/program.hpp>

using namespace tenet;

struct Batch : at_most<12> {};

void compute() {
    tensor<float, Batch> x;
    tensor<double, Batch> y;
    tensor<double, Batch> z;
#ifdef TENET_MISTAKE
    static_cast<void>(z = x * y);
#else
    static_cast<void>(z = convert<double>(x) * y);
#endif
}
