// SPDX-License-Identifier: MIT
// error: merge(base, adapter): the base is merged already
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
using adapter = lora<model, 2>;

float first(parameters<model> base, parameters<adapter> const& delta) {
    auto merged = merge(std::move(base), delta);
#ifdef TENET_MISTAKE
    merge(std::move(merged), delta);
#endif
    return merged.weights().data()[0];
}
