// SPDX-License-Identifier: MIT
// align: how a round of policy optimisation goes, and what it says of itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include <tenet/align/advantages.hpp>
#include <tenet/align/group_advantages.hpp>
#include <tenet/align/reward_shaping.hpp>

namespace tenet {

/// What tells good tokens from bad ones.
enum class advantage_estimator {
    gae,            ///< PPO: a value function, a token at a time
    leave_one_out,  ///< RLOO: the other completions of the prompt, the KL penalty in the reward
    group_relative  ///< GRPO: the other completions of the prompt; the divergence is in the loss
};

/// Options of `ppo_trainer`. Defaults are those of lm-human-preferences where it has them.
struct ppo_options {
    advantage_estimator estimator = advantage_estimator::gae;
    std::size_t group = 1;  ///< completions of each prompt, which stand together; for the estimators without values
    gae_options gae{};
    group_relative_options relative{};
    kl_kind kl = kl_kind::k1;
    bool whiten_rewards = false;    ///< keeping their mean (lm-human-preferences: true, TRL: false)
    bool whiten_advantages = true;  ///< over all tokens of the round; GAE only
    missing_end without_end = missing_end::keep;
    double without_end_penalty = 1;
    std::size_t epochs = 4;
    std::size_t minibatch = std::numeric_limits<std::size_t>::max();  ///< completions an update; at most the batch axis
    double most_divergence = 0;  ///< the round ends before an update whose batch has diverged further; 0: never
    double sampling_tolerance =
        1e-2;  ///< how far a sampled log-probability may be from the recomputed one; an infinity: any
    std::uint64_t seed = 0;
};

/// What a step of the update program gave, `ppo_step`'s scalars in their order.
struct ppo_outcome {
    double total = 0, policy_loss = 0, value_loss = 0, entropy = 0, divergence = 0, clip_fraction = 0;
};

/// A round in numbers; losses and what follows them are means over its updates.
struct ppo_diagnostics {
    double score = 0;               ///< mean score, before any penalty
    double reward = 0;              ///< mean of the rewards' sum a completion: the objective
    double kl = 0;                  ///< mean of the divergence from the reference (k1) a completion
    double coefficient = 0;         ///< of that divergence, in this round
    double length = 0;              ///< mean tokens a completion
    double finished = 0;            ///< share of completions that ended by themselves
    double explained_variance = 0;  ///< of the returns, by the values at the start; NaN without values
    ppo_outcome steps;
    std::size_t updates = 0;
    bool stopped_early = false;

    /// Whether the mean divergence is below 0, which no divergence is: the completions were not sampled from the policy
    /// that is trained (a temperature, top-k, an older policy), and the penalty pays for being found unlikely.
    bool negative_kl() const { return kl < -1e-3; }
};

}  // namespace tenet
