// SPDX-License-Identifier: MIT
// The model of the alignment examples, a small GPT over byte pairs, and the rows that all of its programs read.
#pragma once

#include <cstdint>

#include <tenet/data/completion_batch.hpp>
#include <tenet/models/gpt2.hpp>
#include <tenet/op.hpp>
#include <tenet/program/parameters.hpp>

namespace alignment {

using namespace tenet;

/// A GPT-2 of 0.87 million parameters.
struct sizes {
    static constexpr std::size_t layers = 4, heads = 4, width = 128, context = 96, vocabulary = 512;
};
using gpt = gpt2<sizes>;
using Vocab = gpt::Vocab;

struct Rows : at_most<32> {};
struct Time : axis<sizes::context>, sequence {};

/// The last id is the end of a text; the others are those of the tokenizer.
inline constexpr std::int32_t end_of_text = sizes::vocabulary - 1;
/// Padding is the end-of-text token: nothing depends on it.
inline constexpr completion_options row_options{.end_of_text = end_of_text, .pad = end_of_text};

/// The most tokens of a prompt that is continued, and of a continuation with its end.
inline constexpr std::size_t most_prompt = 48, most_completion = sizes::context - most_prompt;

using row_batch = completion_batch<Rows, Time>;

/// The places of tokens, as the model wants them.
constexpr auto places_of(auto tokens) {
    return cast<dtype::int32>(positions<Time>(tokens));
}

}  // namespace alignment
