// SPDX-License-Identifier: MIT
// error: merge(base, adapter): the base is quantized; merge into dequantize(base), then requantize()
// max-lines-gcc: 10
// max-lines-clang: 16
#include <tenet/adapt.hpp>
#include <tenet/nn.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct In : axis<8> {};
struct Out : axis<4> {};

struct model {
    nn::linear<axes<In>, axes<Out>> layer;
    constexpr auto operator()(auto x) const { return layer(x); }
};
using stored = quantized<model, storage::nf4>;
using adapter = lora<model, 2>;

double tuned(parameters<stored>& base, parameters<adapter> const& delta) {
#ifdef TENET_MISTAKE
    merge(base, delta);
#endif
    auto merged = merge(dequantize(base), delta);
    return requantize(merged.weights(), base).relative;
}
