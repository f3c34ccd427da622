// SPDX-License-Identifier: MIT
// A small GPT-2, and its loss; full.cpp trains all of it, lora.cpp an adapter on it.
#pragma once

#include <tenet/models/gpt2.hpp>
#include <tenet/op.hpp>
#include <tenet/program.hpp>

namespace symbols {

using namespace tenet;

struct sizes {
    static constexpr std::size_t layers = 2, heads = 2, width = 16, context = 8, vocabulary = 32;
};
using model = gpt2<sizes>;
struct Batch : axis<2> {};
struct Time : axis<8>, sequence {};

constexpr auto loss_of(auto const& m, auto tokens, auto positions, auto targets) {
    return cross_entropy<model::Vocab>(m(tokens, positions), targets);
}

}  // namespace symbols
