// SPDX-License-Identifier: MIT
// error: adapter_module_not_in_model<other, model>
// max-lines-gcc: 20
// max-lines-clang: 40
#include <tenet/adapt.hpp>
#include <tenet/nn.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct In : axis<8> {};
struct Out : axis<4> {};

struct block {
    nn::linear<axes<In>, axes<Out>> layer;
    constexpr auto operator()(auto x) const { return layer(x); }
};
struct other {};
struct model {
    block mlp;
    constexpr auto operator()(auto x) const { return mlp(x); }
};

#ifdef TENET_MISTAKE
using adapter = lora<model, 2, inside<other>>;
#else
using adapter = lora<model, 2, inside<block>>;
#endif

std::size_t trained() {
    return parameters<adapter>::size();
}
