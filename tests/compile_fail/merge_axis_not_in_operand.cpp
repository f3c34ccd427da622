// SPDX-License-Identifier: MIT
// error: merge_axis_not_in_operand<Heads, 6, axes<Batch, Third, Group>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Third : axis<48> {};
struct Embed : axis<384> {};
struct Heads : axis<6> {};
struct Group : axis<8> {};

void compute() {
    tensor<float, Batch, Third, Group> x;
#ifdef TENET_MISTAKE
    static_cast<void>(merge<Embed, Heads, Group>(x));
#else
    static_cast<void>(merge<Embed, Third, Group>(x));
#endif
}
