// SPDX-License-Identifier: MIT
// An adapter: low-rank updates of chosen weights, substituted by their paths while a model is traced.
#include <tenet/op.hpp>
#include <tenet/program/adapter.hpp>
#include <tenet/program/program.hpp>

#include <cstdio>

using namespace tenet;

struct Batch : at_most<4> {};
struct Embed : axis<8> {};
struct Hidden : axis<16> {};
struct Rank : axis<2> {};

struct block {
    parameter<Embed, Hidden> up;
    parameter<Hidden, Embed> down;
    constexpr auto operator()(auto x) const { return x + dot<Hidden>(gelu(dot<Embed>(x, up)), down); }
};
struct network {
    stack<block, 2> h;
    constexpr auto operator()(auto x) const { return h(x); }
};

// [adapter]
struct low_rank {  // y = x W + x A B, of the weights called "up"
    static constexpr std::string_view targets[] = {"up"};

    static constexpr void declare(parameter_leaf const& weight, adapter_declaration& d) {
        d.add("lora_A", {weight.axes[0], &axis_info_of<Rank>});
        d.add("lora_B", {&axis_info_of<Rank>, weight.axes[1]});
    }

    static constexpr graph::value substitute(adapter_site const& s) {
        const int rank = s.input.graph().axis_id(&axis_info_of<Rank>);
        graph::axis_list a = s.contracted, b, middle = graph::minus(s.input.axes(), s.contracted);
        a.push(rank);
        b.push(rank);
        middle.push(rank);
        const graph::axis_list out = graph::minus(s.weight.axes(), s.contracted);
        for (int i = 0; i < out.rank; ++i) b.push(out[i]);
        const graph::value narrow = graph::contract(s.input, s.parameter("lora_A", a), middle);
        return s.plain + graph::contract(narrow, s.parameter("lora_B", b), s.plain.axes());
    }
};
// [adapter]

// [use]
using adapter = adapter_of<network, low_rank>;

struct loss {
    constexpr auto operator()(auto const& base, auto const& delta, auto x, auto y) const {
        auto tuned = with(delta, frozen(base))(x);  // the adapter is trained, the base is not
        return mean((tuned - y) * (tuned - y));
    }
};
using train = program<models<network, adapter>, loss, values<Batch, Embed>, values<Batch, Embed>>;
static_assert(parameter_count<adapter> == 2 * (8 * 2 + 2 * 16));
static_assert(train::gradient_elements == parameter_elements<adapter>);  // and nothing for the base
// [use]

int main() {
    parameters<network> base;
    parameters<adapter> delta;
    for (named_array const& a : delta.arrays()) std::printf("%s\n", a.name.c_str());
    for (std::size_t i = 0; i < base.size(); ++i) base.data()[i] = static_cast<float>(i % 7) * 0.1f - 0.3f;
    for (float& w : delta.span("h.0.up.lora_A")) w = 0.1f;
    tensor<float, Batch, Embed> x, y;
    x.fill(0.5f);
    y.fill(1);
    train step;
    const float before = step.value_and_grad(base, delta, x, y);
    for (std::size_t i = 0; i < delta.size(); ++i) delta.data()[i] -= 0.1f * step.gradients()[i];
    const float after = step.value_and_grad(base, delta, x, y);
    std::printf("%s\n", after < before ? "better" : "worse");
    return after < before ? 0 : 1;
}
