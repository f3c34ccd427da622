// SPDX-License-Identifier: MIT
// align: from a score of a completion to a reward of each token, and where a completion ends.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

#include <tenet/align/kl.hpp>
#include <tenet/align/token_rows.hpp>

namespace tenet {

/// Where the score of a completion is paid.
enum class score_place {
    last_token,    ///< with the last token: the papers and lm-human-preferences
    after_the_end  ///< one place later, in a slot of its own: TRL's PPO, where there is room (huggingface/trl, issue
                   ///< 1893)
};

/// Options of `token_rewards`.
struct reward_shaping_options {
    double kl_coefficient = 0.05;
    kl_kind kl = kl_kind::k1;
    score_place place = score_place::last_token;
};

/// r_t = -kl_coefficient kl_t, plus the score at the last token: `policy` and `reference` are the log-probabilities of
/// one completion's tokens, its end-of-text token included if it was said. With `score_place::after_the_end` there is
/// one reward more than tokens. Ziegler et al. (2019), eq. (2); Ouyang et al.: InstructGPT (2022), eq. (2).
template <Numbers Policy, Numbers Reference, Numbers Rewards>
void token_rewards(Policy const& policy, Reference const& reference, double score, Rewards&& rewards,
                   reward_shaping_options const& o = {}) {
    using real = std::remove_cvref_t<decltype(*rewards.data())>;
    const bool after = o.place == score_place::after_the_end;
    if (policy.size() == 0) fail_expectation("token_rewards", "a completion of at least one token", "none");
    detail::expect_lengths("token_rewards: reference", policy.size(), reference.size());
    detail::expect_lengths("token_rewards: rewards", policy.size() + (after ? 1 : 0), rewards.size());
    for (std::size_t t = 0; t < policy.size(); ++t)
        rewards.data()[t] =
            static_cast<real>(-o.kl_coefficient * kl_estimate(o.kl, static_cast<double>(policy.data()[t]),
                                                              static_cast<double>(reference.data()[t])));
    auto& last = rewards.data()[rewards.size() - 1];
    if (after) last = real(0);
    last += static_cast<real>(score);
}

/// The length of a completion up to and with its first end-of-text token, and whether there is one.
struct completion_end {
    std::size_t length;
    bool finished;
};
inline completion_end find_end(std::span<std::int32_t const> completion, std::int32_t end_of_text) {
    const auto at = std::find(completion.begin(), completion.end(), end_of_text);
    const bool finished = at != completion.end();
    return {static_cast<std::size_t>(at - completion.begin()) + (finished ? 1 : 0), finished};
}

/// What is done about a completion that was cut before it ended: its score says nothing about its end.
enum class missing_end {
    keep,      ///< the score as it is
    subtract,  ///< the score less the penalty (TRL's missing_eos_penalty)
    replace    ///< minus the penalty, whatever the score (lm-human-preferences' penalty_reward_value)
};
constexpr double score_without_end(double score, bool finished, missing_end what, double penalty) {
    if (finished || what == missing_end::keep) return score;
    return what == missing_end::subtract ? score - penalty : -penalty;
}

}  // namespace tenet
