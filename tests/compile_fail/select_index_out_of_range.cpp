// SPDX-License-Identifier: MIT
// error: select_index_out_of_range<QKV, 3, 3>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct QKV : axis<3> {};

void compute() {
    tensor<float, Batch, QKV> x;
#ifdef TENET_MISTAKE
    static_cast<void>(select<QKV, 3>(x));
#else
    static_cast<void>(select<QKV, 2>(x));
#endif
}
