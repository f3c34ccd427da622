// SPDX-License-Identifier: MIT
// error: slice_axis_already_in_operand<Half, 32, axes<Half, Time>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Time : axis<64> {};
struct Half : axis<32> {};
struct Third : axis<48> {};

void compute() {
    tensor<float, Half, Time> x;
#ifdef TENET_MISTAKE
    static_cast<void>(slice<Time, Half, 16>(x));
#else
    static_cast<void>(slice<Time, Third, 16>(x));
#endif
}
