// SPDX-License-Identifier: MIT
// generate: what generation is asked and what it answers, without a model: for code that does not compile one.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <tenet/generate/sampler.hpp>

namespace tenet {

/// What to do with a text that does not fit into the context.
enum class context_overflow : std::uint8_t {
    error,  ///< an exception before anything is computed
    slide   ///< when the context is full, go on with its last `keep` tokens, as if the text began there
};

/// How long and how a text goes on.
struct generation_options {
    sampling_options sampling{};
    std::uint64_t seed = 0;                         ///< of the draws
    std::size_t max_tokens = 128;                   ///< the most new tokens of a text
    std::vector<std::vector<std::int32_t>> stop{};  ///< sequences that end a text, and are not part of it
    context_overflow overflow = context_overflow::error;
    std::size_t keep = 0;        ///< tokens kept when the window slides; 0: half of the context
    std::size_t vocabulary = 0;  ///< only the first so many tokens exist; 0: all
};

/// Why a text ended.
enum class finish : std::uint8_t { length, stop, cancelled };

/// A continuation: the new tokens alone.
struct generated {
    std::vector<std::int32_t> tokens;
    finish why = finish::length;
};

/// Gets each new token as soon as it is certain not to belong to a stop sequence: the number of the prompt, the token.
/// False ends this text.
using token_callback = std::function<bool(std::size_t prompt, std::int32_t token)>;

/// The loss of a text.
struct text_loss {
    double mean = 0;         ///< in nats a token: the mean of -ln p(token | tokens before)
    std::size_t tokens = 0;  ///< how many were predicted

    double perplexity() const { return std::exp(mean); }
};

}  // namespace tenet
