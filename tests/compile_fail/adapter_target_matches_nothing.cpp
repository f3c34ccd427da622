// SPDX-License-Identifier: MIT
// error-regex: adapter_target_matches_nothing<.*"attn.weight".*, model>
// max-lines-gcc: 20
// max-lines-clang: 30
#include <tenet/adapt.hpp>
#include <tenet/op.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct In : axis<8> {};
struct Out : axis<4> {};

struct layer {
    parameter<In, Out> weight;
    constexpr auto operator()(auto x) const { return dot<In>(x, weight); }
};
struct model {
    layer mlp;
    constexpr auto operator()(auto x) const { return mlp(x); }
};

struct doubling {
#ifdef TENET_MISTAKE
    static constexpr std::string_view targets[] = {"mlp.weight", "attn.weight"};
#else
    static constexpr std::string_view targets[] = {"mlp.weight"};
#endif
    static constexpr void declare(parameter_leaf const&, adapter_declaration&) {}
    static constexpr graph::value substitute(adapter_site const& s) { return s.plain + s.plain; }
};
struct loss {
    constexpr auto operator()(auto const& m, auto const& a, auto x) const { return sum(with(a, m)(x)); }
};

float train(parameters<model>& theta, parameters<adapter_of<model, doubling>>& extra, tensor<float, In> const& x) {
    program<models<model, adapter_of<model, doubling>>, loss, values<In>> step;
    return step.value_and_grad(theta, extra, x);
}
