// SPDX-License-Identifier: MIT
// error: concat_other_axes_differ<axes<Batch, Time>, axes<Heads, Keys>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Time : axis<64> {};
struct Keys : axis<64> {};
struct Heads : axis<6> {};
struct Both : axis<128> {};

void compute() {
    tensor<float, Batch, Time> x;
    tensor<float, Batch, Keys> y;
    tensor<float, Heads, Keys> z;
#ifdef TENET_MISTAKE
    static_cast<void>(concat<Both, Time, Keys>(x, z));
#else
    static_cast<void>(concat<Both, Time, Keys>(x, y));
#endif
}
