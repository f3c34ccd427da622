// SPDX-License-Identifier: MIT
// error: rms_norm_weight_axes_differ<axes<Embed>, axes<Hidden>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Embed : axis<384> {};
struct Hidden : axis<1536> {};

void compute() {
    tensor<float, Batch, Embed> x;
    tensor<float, Embed> weight;
    tensor<float, Hidden> other;
#ifdef TENET_MISTAKE
    static_cast<void>(rms_norm<Embed>(x, other));
#else
    static_cast<void>(rms_norm<Embed>(x, weight));
#endif
}
