// SPDX-License-Identifier: MIT
// align: policy losses without a value function: REINFORCE with a baseline (leave-one-out), and GRPO. Their advantages
// are one number a completion (align/group_advantages.hpp).
#pragma once

#include <string>

#include <tenet/align/ppo.hpp>

namespace tenet {

/// How the losses of the tokens become one.
enum class token_average {
    per_sequence,  ///< the mean of each completion, then of completions (GRPO's paper): long ones are told less a token
    per_token      ///< the mean over all tokens of all completions (DAPO)
};

/// Options of `grpo_loss`.
struct grpo_options {
    double clip = 0.2;   ///< as PPO's
    double beta = 0.04;  ///< weight of the divergence from the reference (TRL's default is 0)
    token_average average = token_average::per_sequence;
};

namespace detail {
struct grpo;
struct reinforce;
}  // namespace detail

/// loss = -mean over `Row...` of A ln p: log-probabilities of whole completions, advantages A, [Row...] each. With
/// `leave_one_out_advantages` this is RLOO. Williams (1992); Ahmadian et al.: Back to Basics (2024), eq. (6).
template <class... Row, Operand LogProbability, Operand Advantages>
constexpr auto reinforce_loss(LogProbability const& log_probability, Advantages const& advantages) {
    if constexpr (!detail::operands_fit<detail::reinforce, axes<Row...>, LogProbability, Advantages>) return poison{};
    else return -mean<Row...>(stop_gradient(advantages) * log_probability);
}

/// loss = average over tokens of max(-A ratio, -A clamp(ratio)) + beta (e^d - 1 - d), d = reference - new: PPO's
/// clipped loss with one advantage a completion, and the k3 estimate of KL(policy || reference) as a penalty that has a
/// gradient. now, old, reference, mask [Row, Time]; advantages [Row]. Shao et al.: DeepSeekMath (2024), eq. (3), (4).
/// TRL: GRPOTrainer(loss_type="grpo" or "bnpo").
template <class Row, class Time, Operand New, Operand Old, Operand Reference, Operand Advantages, Operand Mask>
constexpr auto grpo_loss(New const& now, Old const& old, Reference const& reference, Advantages const& advantages,
                         Mask const& mask, grpo_options o = {}) {
    if constexpr (!detail::operands_fit<detail::grpo, axes<Row, Time>, New, Old, Reference, Mask> ||
                  !detail::operands_fit<detail::grpo, axes<Row>, Advantages>) {
        return poison{};
    } else {
        detail::check_ppo({.clip = o.clip});
        if (!(o.beta >= 0)) fail_expectation("grpo_loss", "beta >= 0", std::to_string(o.beta));
        const auto ratio = exp(log_ratio(now, old, mask));
        const auto weight = -stop_gradient(advantages);
        const auto d = where(mask, stop_gradient(reference) - now, 0.0);
        const auto terms =
            maximum(weight * ratio, weight * clamp(ratio, 1 - o.clip, 1 + o.clip)) + o.beta * (expm1(d) - d);
        if (o.average == token_average::per_token) return masked_mean<Row, Time>(terms, mask);
        return mean<Row>(masked_mean<Time>(terms, mask));
    }
}

}  // namespace tenet
