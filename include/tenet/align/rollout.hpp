// SPDX-License-Identifier: MIT
// align: a completion that a policy said, with what is known of it; and batches of such for programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tenet/align/reward_shaping.hpp>
#include <tenet/data/completion_batch.hpp>

namespace tenet {

/// One sampled completion.
struct rollout {
    completion_row row;                     ///< prompt and completion; an end-of-text token belongs to the completion
    bool finished = false;                  ///< it ended by itself
    std::vector<double> log_probabilities;  ///< of its tokens when they were sampled; empty if not kept
    double score = 0;                       ///< the reward model's, or any other judge's

    std::span<std::int32_t const> completion() const {
        return std::span<std::int32_t const>(row.tokens).subspan(row.prompt);
    }
};

/// A rollout from what a generator gave: everything after the first end-of-text token is dropped.
inline rollout make_rollout(std::span<std::int32_t const> prompt, std::span<std::int32_t const> sampled,
                            std::span<double const> log_probabilities, std::int32_t end_of_text) {
    if (!log_probabilities.empty())
        detail::expect_lengths("make_rollout: log-probabilities", sampled.size(), log_probabilities.size());
    const completion_end end = find_end(sampled, end_of_text);
    rollout r;
    r.row.prompt = prompt.size();
    r.row.tokens.assign(prompt.begin(), prompt.end());
    r.row.tokens.insert(r.row.tokens.end(), sampled.begin(), sampled.begin() + static_cast<std::ptrdiff_t>(end.length));
    r.finished = end.finished;
    if (!log_probabilities.empty())
        r.log_probabilities.assign(log_probabilities.begin(),
                                   log_probabilities.begin() + static_cast<std::ptrdiff_t>(end.length));
    return r;
}

/// What a program of PPO reads: rows, and a number for each position that predicts a token of a completion (0 at the
/// others). `advantage` [Batch] is the first advantage of each row, for losses that have one a completion.
template <class Batch, class Time, class T = float>
struct rollout_batch {
    using per_token = tensor<T, Batch, Time>;
    completion_batch<Batch, Time> rows;
    per_token old_log_probabilities, reference_log_probabilities, advantages, old_values, returns;
    tensor<T, Batch> advantage;

    explicit rollout_batch(completion_options const& options) : rows(options) {}

    void resize(std::size_t n) {
        rows.resize(n);
        for (per_token* t :
             {&old_log_probabilities, &reference_log_probabilities, &advantages, &old_values, &returns}) {
            t->template set_extent<Batch>(n);
            t->fill(T(0));
        }
        advantage.template set_extent<Batch>(n);
        advantage.fill(T(0));
    }
};

/// What a policy, its reference and the value function say of a batch's tokens.
template <class Batch, class Time, class T = float>
struct rollout_judgement {
    tensor<T, Batch, Time> log_probabilities, reference_log_probabilities, values;
};

}  // namespace tenet
