// SPDX-License-Identifier: MIT
// align: rollouts from a generator with its key-value cache: several completions of each prompt, drawn from the
// policy's whole distribution, with their ends told apart from cuts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <tenet/align/rollout.hpp>
#include <tenet/generate/options.hpp>

namespace tenet {

/// How rollouts are sampled.
struct rollout_options {
    std::size_t each = 1;           ///< completions of a prompt; they stand together, as groups do
    std::size_t max_tokens = 64;    ///< the most tokens of a completion, its end-of-text token included
    std::int32_t end_of_text = -1;  ///< what ends a completion, and is its last token then; -1: nothing does
    double temperature = 1;         ///< if not 1, the programs that judge and update must divide their logits by it too
    std::uint64_t seed = 0;         ///< of the draws: another one every round
    std::size_t vocabulary = 0;     ///< only the first so many tokens exist; 0: all
};

namespace detail {

/// Prompts that are completed in one call. A row that takes up a new prompt makes the step as long as the prompt for
/// all rows; rows that begin together do so once. Copies of a prompt stay together: their draws are numbered within a
/// call.
template <class Generator>
constexpr std::size_t prompts_a_call(std::size_t prompts, std::size_t each) {
    if constexpr (requires { Generator::most_rows; }) return std::max<std::size_t>(1, Generator::most_rows / each);
    else return prompts;
}

}  // namespace detail

/// Completions of `prompts` by `write`, a `generator<Model, ...>` of the policy's weights (of merged ones, for an
/// adapter). There is no top-k or top-p: what is cut off would make the policy's own log-probabilities wrong for its
/// completions. Scores are 0 until somebody judges. The draws depend on the seed, the prompt, and its number in units
/// of the generator's rows. Errors: those of the generator.
template <class Generator>
std::vector<rollout> sample_rollouts(Generator& write, std::vector<std::vector<std::int32_t>> const& prompts,
                                     rollout_options const& o) {
    if (!(o.temperature > 0))
        fail_expectation("sample_rollouts", "a temperature above 0", std::to_string(o.temperature));
    if (o.each == 0 || o.max_tokens == 0)
        fail_expectation("sample_rollouts", "at least one completion of at least one token", "none");
    generation_options g;
    g.sampling.temperature = o.temperature;
    g.max_tokens = o.max_tokens;
    g.vocabulary = o.vocabulary;
    if (o.end_of_text >= 0) g.stop = {{o.end_of_text}};
    std::vector<rollout> rollouts;
    const std::size_t each_call = detail::prompts_a_call<Generator>(prompts.size(), o.each);
    for (std::size_t first = 0; first < prompts.size(); first += each_call) {
        std::vector<std::vector<std::int32_t>> all;
        for (std::size_t i = first; i < std::min(first + each_call, prompts.size()); ++i)
            all.insert(all.end(), o.each, prompts[i]);
        g.seed = o.seed + first / each_call * 0x9e3779b97f4a7c15u;
        const std::vector<generated> said = write(all, g);
        for (std::size_t i = 0; i < all.size(); ++i) {
            std::vector<std::int32_t> tokens = said[i].tokens;
            // The generator leaves out what it stopped at; to the policy it is a token like any other.
            if (said[i].why == finish::stop) tokens.push_back(o.end_of_text);
            rollouts.push_back(make_rollout(all[i], tokens, {}, o.end_of_text));
        }
    }
    return rollouts;
}

}  // namespace tenet
