// SPDX-License-Identifier: MIT
// error-regex: adapter_axis_not_first_output<Heads, .*"c_attn".*, model>
// max-lines-gcc: 20
// max-lines-clang: 40
#include <tenet/adapt.hpp>
#include <tenet/nn.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct In : axis<8> {};
struct QKV : axis<3> {};
struct Heads : axis<4> {};

struct model {
    nn::linear<axes<In>, axes<QKV, Heads>> c_attn;
    constexpr auto operator()(auto x) const { return c_attn(x); }
};

#ifdef TENET_MISTAKE
using adapter = lora<model, 2, per_axis<Heads, "c_attn">>;
#else
using adapter = lora<model, 2, per_axis<QKV, "c_attn">>;
#endif

std::size_t trained() {
    return parameters<adapter>::size();
}
