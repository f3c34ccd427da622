// SPDX-License-Identifier: MIT
// align: what is watched while preferences are learnt, under the names that TRL logs; and the scale of rewards.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include <tenet/align/moments.hpp>

namespace tenet {

/// Metrics of a batch of preferences.
struct preference_metrics {
    double chosen = 0;    ///< rewards/chosen
    double rejected = 0;  ///< rewards/rejected
    double accuracy = 0;  ///< rewards/accuracies: the share of pairs whose chosen reward is the greater; ties are wrong
    double margin = 0;    ///< rewards/margins: chosen - rejected
};

/// Metrics of rewards, one pair of them a row: of a reward model, or beta (policy - reference) of a policy.
template <Numbers Chosen, Numbers Rejected>
preference_metrics metrics_of_rewards(Chosen const& chosen, Rejected const& rejected) {
    detail::expect_lengths("metrics_of_rewards", chosen.size(), rejected.size());
    preference_metrics m{mean_of(chosen), mean_of(rejected), 0, 0};
    for (std::size_t i = 0; i < chosen.size(); ++i) m.accuracy += chosen.data()[i] > rejected.data()[i] ? 1 : 0;
    m.accuracy /= static_cast<double>(chosen.size());
    m.margin = m.chosen - m.rejected;
    return m;
}

/// Metrics of DPO from summed log-probabilities: rewards are beta (policy - reference).
template <Numbers A, Numbers B, Numbers C, Numbers D>
preference_metrics metrics_of_policy(A const& policy_chosen, B const& policy_rejected, C const& reference_chosen,
                                     D const& reference_rejected, double beta) {
    const auto rewards = [&](auto const& policy, auto const& reference) {
        detail::expect_lengths("metrics_of_policy", policy.size(), reference.size());
        std::vector<double> r(policy.size());
        for (std::size_t i = 0; i < r.size(); ++i)
            r[i] = beta * (static_cast<double>(policy.data()[i]) - static_cast<double>(reference.data()[i]));
        return r;
    };
    return metrics_of_rewards(rewards(policy_chosen, reference_chosen), rewards(policy_rejected, reference_rejected));
}

/// A scale of rewards, of which only differences have a meaning: reward = gain score + bias.
struct reward_scale {
    double gain = 1, bias = 0;

    double operator()(double score) const { return gain * score + bias; }

    /// Scores of reference texts get the mean 0 (Ouyang et al. 2022, section 3.5: of the demonstrations).
    template <Numbers Scores>
    static reward_scale centred(Scores const& scores) {
        return {1, -mean_of(scores)};
    }
    /// The mean 0 and the standard deviation 1 (Ziegler et al. 2019, section 2.1; population variance).
    template <Numbers Scores>
    static reward_scale normalised(Scores const& scores) {
        const double deviation = std::sqrt(variance_of(scores));
        if (!(deviation > 0)) fail_expectation("reward_scale::normalised", "scores that differ", "equal ones");
        return {1 / deviation, -mean_of(scores) / deviation};
    }
};

}  // namespace tenet
