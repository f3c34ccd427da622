// SPDX-License-Identifier: MIT
// error-regex: adapter_has_no_parameter<.*"shift"
// max-lines-gcc: 20
// max-lines-clang: 24
#include <tenet/adapt.hpp>
#include <tenet/op.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct In : axis<8> {};
struct Out : axis<4> {};

struct model {
    parameter<In, Out> weight;
    constexpr auto operator()(auto x) const { return dot<In>(x, weight); }
};

struct shifted {
    static constexpr std::string_view targets[] = {"weight"};
    static constexpr void declare([[maybe_unused]] parameter_leaf const& w, [[maybe_unused]] adapter_declaration& d) {
#ifdef TENET_MISTAKE
        d.add("offset", {&axis_info_of<Out>});
#else
        d.add("shift", {&axis_info_of<Out>});
#endif
    }
    static constexpr graph::value substitute(adapter_site const& s) {
        return s.plain + s.parameter("shift", s.plain.axes());
    }
};
struct loss {
    constexpr auto operator()(auto const& m, auto const& a, auto x) const { return sum(with(a, m)(x)); }
};

float train(parameters<model>& theta, parameters<adapter_of<model, shifted>>& extra, tensor<float, In> const& x) {
    program<models<model, adapter_of<model, shifted>>, loss, values<In>> step;
    return step.value_and_grad(theta, extra, x);
}
