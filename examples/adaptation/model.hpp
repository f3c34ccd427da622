// SPDX-License-Identifier: MIT
// The model of the three programs, its loss, and the ways to train it. Texts are bytes, so every text is legal.
#pragma once

#include <numeric>

#include <tenet/adapt.hpp>
#include <tenet/data/completion_batch.hpp>
#include <tenet/models/gpt2.hpp>
#include <tenet/op.hpp>
#include <tenet/program.hpp>

namespace adaptation {

using namespace tenet;

/// A GPT-2 of 1.3 million parameters.
struct sizes {
    static constexpr std::size_t layers = 4, heads = 5, width = 160, context = 128, vocabulary = 256;
};
using model = gpt2<sizes>;

struct Batch : at_most<8> {};
struct Time : axis<sizes::context>, sequence {};

/// The byte that ends a text; it stands in none.
inline constexpr std::int32_t end_of_text = 0;

/// Rows of text of which only the completions are trained: a window of running text is a completion of its first byte.
using rows = completion_batch<Batch, Time>;
/// The positions of a row.
using places = tensor<std::int32_t, Time>;
inline places all_places() {
    places p;
    std::iota(p.begin(), p.end(), 0);
    return p;
}

/// The mean over the completions' tokens. Plain token targets are not `CompletionTargets`: what a prompt says cannot be
/// trained by forgetting a mask.
constexpr auto completion_loss(auto const& logits, CompletionTargets auto const& targets) {
    return cross_entropy<model::Vocab>(logits, targets.tokens());
}

struct full_loss {
    constexpr auto operator()(auto const& m, auto tokens, auto positions, auto targets) const {
        return completion_loss(m(tokens, positions), targets);
    }
};
struct adapted_loss {
    constexpr auto operator()(auto const& base, auto const& adapter, auto tokens, auto positions, auto targets) const {
        return completion_loss(with(adapter, frozen(base))(tokens, positions), targets);
    }
};

/// Adapters of all linear layers; s = alpha / rank = 2.
template <int Rank>
using adapter = lora<model, Rank, all_linear, lora_options{.alpha = 2 * Rank}>;

using full_step = program<model, full_loss, tokens<Batch, Time>, tokens<Time>, completions<Batch, Time>>;
template <class Base, int Rank>
using adapter_step =
    program<models<Base, adapter<Rank>>, adapted_loss, tokens<Batch, Time>, tokens<Time>, completions<Batch, Time>>;

}  // namespace adaptation
