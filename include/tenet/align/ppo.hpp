// SPDX-License-Identifier: MIT
// align: the losses of proximal policy optimisation, over the tokens of completions. Advantages and returns come from
// align/advantages.hpp, all of it together from align/ppo_trainer.hpp.
#pragma once

#include <string>
#include <tuple>

#include <tenet/align/masked_mean.hpp>
#include <tenet/align/sequence_log_probability.hpp>
#include <tenet/base/exception.hpp>
#include <tenet/op/cast.hpp>

namespace tenet {

/// Options of PPO's losses. Defaults: Schulman et al. (2017) and lm-human-preferences, whose `vf_coef` is 0.1.
struct ppo_loss_options {
    double clip = 0.2;          ///< a step's ratio of probabilities stays within 1 - clip and 1 + clip
    double value_clip = 0.2;    ///< a value moves so far from the old one; 0: no clipping
    double value_weight = 0.1;  ///< vf_coef
    double entropy_weight = 0;  ///< rewards policies that remain unsure
};

namespace detail {
struct ppo_policy;
struct ppo_value;

constexpr void check_ppo(ppo_loss_options const& o) {
    if (!(o.clip > 0 && o.clip < 1)) fail_expectation("ppo", "clip in (0, 1)", std::to_string(o.clip));
    if (!(o.value_clip >= 0)) fail_expectation("ppo", "value_clip >= 0", std::to_string(o.value_clip));
}
}  // namespace detail

/// new - old where the mask holds, else 0: what is padding has the ratio 1, and cannot overflow.
template <Operand New, Operand Old, Operand Mask>
constexpr auto log_ratio(New const& now, Old const& old, Mask const& mask) {
    return where(mask, now - stop_gradient(old), 0.0);
}

/// loss = masked mean of max(-A ratio, -A clamp(ratio, 1 - clip, 1 + clip)), ratio = e^(new - old); log-probabilities
/// of the sampled tokens, advantages A and the mask, all [K...]. No gradient goes to old or A. Schulman et al.:
/// Proximal Policy Optimization (2017), eq. (7). OpenAI: lm-human-preferences, train_policy.py.
template <class... K, Operand New, Operand Old, Operand Advantages, Operand Mask>
constexpr auto ppo_policy_loss(New const& now, Old const& old, Advantages const& advantages, Mask const& mask,
                               ppo_loss_options o = {}) {
    if constexpr (!detail::operands_fit<detail::ppo_policy, axes<K...>, New, Old, Advantages, Mask>) {
        return poison{};
    } else {
        detail::check_ppo(o);
        const auto ratio = exp(log_ratio(now, old, mask));
        const auto weight = -stop_gradient(advantages);
        return masked_mean<K...>(maximum(weight * ratio, weight * clamp(ratio, 1 - o.clip, 1 + o.clip)), mask);
    }
}

/// loss = 1/2 masked mean of max((v - R)^2, (V + clamp(v - V, -value_clip, value_clip) - R)^2); values v, old values V,
/// returns R, all [K...]. OpenAI: baselines, ppo2/model.py; lm-human-preferences, train_policy.py.
template <class... K, Operand Values, Operand Old, Operand Returns, Operand Mask>
constexpr auto ppo_value_loss(Values const& values, Old const& old, Returns const& returns, Mask const& mask,
                              ppo_loss_options o = {}) {
    if constexpr (!detail::operands_fit<detail::ppo_value, axes<K...>, Values, Old, Returns, Mask>) {
        return poison{};
    } else {
        detail::check_ppo(o);
        const auto before = stop_gradient(old), wanted = stop_gradient(returns);
        const auto plain = values - wanted;
        // A bound of infinity is no bound.
        const double bound = o.value_clip > 0 ? o.value_clip : 1e30;
        const auto held = before + clamp(values - before, -bound, bound) - wanted;
        return 0.5 * masked_mean<K...>(maximum(plain * plain, held * held), mask);
    }
}

/// (new - old)^2 / 2, averaged: how far a step has gone (lm-human-preferences' approxkl). No gradient.
template <class... K, Operand New, Operand Old, Operand Mask>
constexpr auto ppo_divergence(New const& now, Old const& old, Mask const& mask) {
    const auto d = stop_gradient(log_ratio(now, old, mask));
    return 0.5 * masked_mean<K...>(d * d, mask);
}

/// The share of tokens whose ratio is outside of [1 - clip, 1 + clip]. No gradient.
template <class... K, Operand New, Operand Old, Operand Mask>
constexpr auto ppo_clip_fraction(New const& now, Old const& old, Mask const& mask, ppo_loss_options o = {}) {
    const auto off = abs(stop_gradient(exp(log_ratio(now, old, mask))) - 1.0);
    return masked_mean<K...>(cast<dtype::real>(greater(off, o.clip)), mask);
}

/// The share of tokens for which the clipped loss is the greater, so that they have no gradient: TRL's and
/// lm-human-preferences' clip fraction. No gradient.
template <class... K, Operand New, Operand Old, Operand Advantages, Operand Mask>
constexpr auto ppo_stopped_fraction(New const& now, Old const& old, Advantages const& advantages, Mask const& mask,
                                    ppo_loss_options o = {}) {
    const auto ratio = stop_gradient(exp(log_ratio(now, old, mask)));
    const auto weight = -stop_gradient(advantages);
    const auto stopped = greater(weight * clamp(ratio, 1 - o.clip, 1 + o.clip), weight * ratio);
    return masked_mean<K...>(cast<dtype::real>(stopped), mask);
}

/// What a step of PPO computes: (total, policy loss, value loss, entropy, divergence, clip fraction), scalars all;
/// total = policy + value_weight value - entropy_weight entropy. `logits` [K..., Vocab] and `values` [K...] are the
/// model's, `old`, `advantages`, `old_values`, `returns` [K...] the batch's, `targets` its completions.
///
///     return ppo_step<Vocab, Batch, Time>(logits, values, targets, old, advantages, old_values, returns, options);
template <class Vocab, class... K, class Logits, class Values, class Targets, class Old, class Advantages,
          class OldValues, class Returns>
constexpr auto ppo_step(Logits const& logits, Values const& values, Targets const& targets, Old const& old,
                        Advantages const& advantages, OldValues const& old_values, Returns const& returns,
                        ppo_loss_options o = {}) {
    const auto mask = completion_mask(targets);
    const auto now = token_log_probabilities<Vocab>(logits, targets);
    const auto policy = ppo_policy_loss<K...>(now, old, advantages, mask, o);
    const auto value = ppo_value_loss<K...>(values, old_values, returns, mask, o);
    const auto entropy = masked_mean<K...>(categorical_entropy<Vocab>(logits), mask);
    return std::tuple{policy + o.value_weight * value - o.entropy_weight * entropy,
                      policy,
                      value,
                      stop_gradient(entropy),
                      ppo_divergence<K...>(now, old, mask),
                      ppo_clip_fraction<K...>(now, old, mask, o)};
}

}  // namespace tenet
