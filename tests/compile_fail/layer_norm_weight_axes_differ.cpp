// SPDX-License-Identifier: MIT
// error: layer_norm_weight_axes_differ<axes<Embed>, axes<Hidden>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

struct Batch : at_most<12> {};
struct Embed : axis<384> {};
struct Hidden : axis<1536> {};

void compute() {
    tensor<float, Batch, Embed> x;
    tensor<float, Embed> weight;
    tensor<float, Embed> bias;
    tensor<float, Hidden> other;
#ifdef TENET_MISTAKE
    static_cast<void>(layer_norm<Embed>(x, weight, other));
#else
    static_cast<void>(layer_norm<Embed>(x, weight, bias));
#endif
}
