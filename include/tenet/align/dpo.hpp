// SPDX-License-Identifier: MIT
// align: direct preference optimisation and its kin: what a reward model and PPO would do, as one loss over pairs. All
// take log-probabilities of whole completions (align/sequence_log_probability.hpp) under the policy and a reference.
#pragma once

#include <string>

#include <tenet/align/operand_axes.hpp>
#include <tenet/base/exception.hpp>
#include <tenet/op/activation.hpp>
#include <tenet/op/cast.hpp>
#include <tenet/op/reduce.hpp>

namespace tenet {

/// Options of the losses over preferred pairs.
struct dpo_options {
    double beta = 0.1;            ///< how dear it is to leave the reference; 0.1 to 0.5
    double label_smoothing = 0;   ///< e: the share of pairs that are believed to be the wrong way round
    bool reference_free = false;  ///< takes the reference to find both completions equally likely
};

namespace detail {

struct dpo;
struct robust_dpo;
struct hinge_dpo;
struct ipo;

constexpr void check_dpo(char const* who, dpo_options const& o, bool smooths) {
    // With a beta of 0 the loss is ln 2 for ever.
    if (!(o.beta > 0)) fail_expectation(who, "beta > 0", std::to_string(o.beta));
    if (!(o.label_smoothing >= 0 && o.label_smoothing < 0.5) || (!smooths && o.label_smoothing > 0))
        fail_expectation(who, smooths ? "label_smoothing in [0, 0.5)" : "no label_smoothing",
                         std::to_string(o.label_smoothing));
}

// h, the log-ratio of the pair under the policy beyond that under the reference.
template <class A, class B, class C, class D>
constexpr auto preference_gap(A const& policy_chosen, B const& policy_rejected, C const& reference_chosen,
                              D const& reference_rejected, dpo_options const& o) {
    return (policy_chosen - policy_rejected) -
           (o.reference_free ? 0.0 : 1.0) * stop_gradient(reference_chosen - reference_rejected);
}

}  // namespace detail

/// The reward that a policy implies: beta (policy - reference), a log-probability each; no gradient.
/// TRL: the metrics rewards/chosen and rewards/rejected.
template <Operand Policy, Operand Reference>
constexpr auto implicit_reward(Policy const& policy, Reference const& reference, double beta) {
    return stop_gradient(beta * (policy - reference));
}

/// loss = mean over `Row...` of -(1-e) ln s(beta h) - e ln s(-beta h), s the sigmoid, e = label_smoothing,
/// h = (policy_chosen - policy_rejected) - (reference_chosen - reference_rejected): DPO for e = 0, conservative DPO
/// (cDPO) for e > 0. A policy that is the reference has h = 0 and the loss ln 2. Operands are summed log-probabilities,
/// [Row...] each; no gradient goes to the reference's. Errors: `exception` (in a program, of the compiler) unless
/// beta > 0 and e in [0, 0.5).
/// Rafailov et al.: Direct Preference Optimization (2023), eq. (7); cDPO: Mitchell (2023), eq. (4).
/// TRL: DPOTrainer(loss_type="sigmoid").
template <class... Row, Operand A, Operand B, Operand C, Operand D>
constexpr auto dpo_loss(A const& policy_chosen, B const& policy_rejected, C const& reference_chosen,
                        D const& reference_rejected, dpo_options o = {}) {
    if constexpr (!detail::operands_fit<detail::dpo, axes<Row...>, A, B, C, D>) {
        return poison{};
    } else {
        detail::check_dpo("dpo_loss", o, true);
        const auto h =
            o.beta * detail::preference_gap(policy_chosen, policy_rejected, reference_chosen, reference_rejected, o);
        return -mean<Row...>((1 - o.label_smoothing) * log_sigmoid(h) + o.label_smoothing * log_sigmoid(-h));
    }
}

/// loss = mean of (-(1-e) ln s(beta h) + e ln s(-beta h)) / (1 - 2e): its expectation over labels that are wrong with
/// chance e is the DPO loss of the right ones. Chowdhury et al.: Provably Robust DPO (2024), eq. (12).
/// TRL: loss_type="robust".
template <class... Row, Operand A, Operand B, Operand C, Operand D>
constexpr auto robust_dpo_loss(A const& policy_chosen, B const& policy_rejected, C const& reference_chosen,
                               D const& reference_rejected, dpo_options o = {}) {
    if constexpr (!detail::operands_fit<detail::robust_dpo, axes<Row...>, A, B, C, D>) {
        return poison{};
    } else {
        detail::check_dpo("robust_dpo_loss", o, true);
        const auto h =
            o.beta * detail::preference_gap(policy_chosen, policy_rejected, reference_chosen, reference_rejected, o);
        const double e = o.label_smoothing, scale = 1 / (1 - 2 * e);
        return mean<Row...>(scale * (e * log_sigmoid(-h) - (1 - e) * log_sigmoid(h)));
    }
}

/// loss = mean of max(0, 1 - beta h). Zhao et al.: SLiC-HF (2023), eq. (1), on implicit rewards. TRL:
/// loss_type="hinge".
template <class... Row, Operand A, Operand B, Operand C, Operand D>
constexpr auto hinge_dpo_loss(A const& policy_chosen, B const& policy_rejected, C const& reference_chosen,
                              D const& reference_rejected, dpo_options o = {}) {
    if constexpr (!detail::operands_fit<detail::hinge_dpo, axes<Row...>, A, B, C, D>) {
        return poison{};
    } else {
        detail::check_dpo("hinge_dpo_loss", o, false);
        return mean<Row...>(relu(1.0 - o.beta * detail::preference_gap(policy_chosen, policy_rejected, reference_chosen,
                                                                       reference_rejected, o)));
    }
}

/// loss = mean of (h - 1/(2 beta))^2 on summed log-probabilities: h is drawn to a finite gap, however sure the labels.
/// Azar et al.: A General Theoretical Paradigm to Understand Learning from Human Preferences (2023), eq. (17); the
/// reference code sums. TRL's form is `ipo_average_loss`.
template <class... Row, Operand A, Operand B, Operand C, Operand D>
constexpr auto ipo_loss(A const& policy_chosen, B const& policy_rejected, C const& reference_chosen,
                        D const& reference_rejected, dpo_options o = {}) {
    if constexpr (!detail::operands_fit<detail::ipo, axes<Row...>, A, B, C, D>) {
        return poison{};
    } else {
        detail::check_dpo("ipo_loss", o, false);
        const auto off =
            detail::preference_gap(policy_chosen, policy_rejected, reference_chosen, reference_rejected, o) -
            1 / (2 * o.beta);
        return mean<Row...>(off * off);
    }
}

/// The same with each summed log-probability divided by its completion's number of tokens (`completion_length`), so
/// that 1/(2 beta) is a gap a token: what TRL computes for loss_type="ipo" (huggingface/trl, issue 1265). Not the
/// paper's.
template <class... Row, Operand A, Operand B, Operand C, Operand D, Operand N, Operand M>
constexpr auto ipo_average_loss(A const& policy_chosen, B const& policy_rejected, C const& reference_chosen,
                                D const& reference_rejected, N const& chosen_length, M const& rejected_length,
                                dpo_options o = {}) {
    if constexpr (!detail::operands_fit<detail::ipo, axes<Row...>, A, B, C, D, N, M>) return poison{};
    else
        return ipo_loss<Row...>(policy_chosen / chosen_length, policy_rejected / rejected_length,
                                reference_chosen / chosen_length, reference_rejected / rejected_length, o);
}

}  // namespace tenet
