// SPDX-License-Identifier: MIT
// The program that docs/internals/overview.md follows from its text to its plan.
//   small_program            prints its plan
//   small_program --dot      prints its graph for Graphviz
#include <tenet/op.hpp>
#include <tenet/program/describe.hpp>
#include <tenet/program/draw.hpp>

#include <cstdio>
#include <string_view>

using namespace tenet;

// [model]
struct Batch : at_most<32> {};
struct Embed : axis<16> {};
struct Hidden : axis<64> {};
struct Class : axis<10> {};

struct block {
    parameter<Embed, Hidden> up;
    parameter<Hidden> bias;
    parameter<Hidden, Embed> down;
    constexpr auto operator()(auto x) const { return x + dot<Hidden>(relu(dot<Embed>(x, up) + bias), down); }
};
struct classifier {
    stack<block, 3> h;
    parameter<Embed, Class> head;
    constexpr auto operator()(auto x) const { return dot<Embed>(h(x), head); }
};
struct loss {
    constexpr auto operator()(auto const& model, auto x, auto labels) const {
        return cross_entropy<Class>(model(x), labels);
    }
};
using step = program<classifier, loss, values<Batch, Embed>, tokens<Batch>>;
// [model]

int main(int argc, char** argv) {
    const bool dot = argc > 1 && std::string_view(argv[1]) == "--dot";
    std::fputs((dot ? draw<step>() : describe<step>()).c_str(), stdout);
}
