// SPDX-License-Identifier: MIT
// align: how probable a model finds a completion. Only targets that are known to be of completions are taken, so that
// prompt and padding cannot enter; the shift by one is in the targets (data/completion_targets.hpp).
#pragma once

#include <tenet/data/completion_targets.hpp>
#include <tenet/op/cross_entropy.hpp>
#include <tenet/op/extremum.hpp>
#include <tenet/op/reduce.hpp>

namespace tenet {
namespace error {
/// A function over completions was given plain tokens: declare the input as `completions<...>`.
template <class Found>
struct targets_are_not_of_completions;
}  // namespace error

namespace detail {

template <class Targets>
constexpr auto check_targets() {
    if constexpr (!CompletionTargets<Targets> && !PoisonOperand<Targets>) {
        static_cast<void>(
            sizeof(error::targets_are_not_of_completions<typename std::remove_cvref_t<Targets>::axes_type>));
        return std::false_type{};
    } else {
        return std::bool_constant<CompletionTargets<Targets>>{};
    }
}
template <class Targets>
inline constexpr bool targets_fit = decltype(check_targets<Targets>())::value;

}  // namespace detail

/// The mask of the positions that predict a token of a completion, with the axes of the targets.
template <class Targets>
constexpr auto completion_mask(Targets const& targets) {
    if constexpr (!detail::targets_fit<Targets>) return poison{};
    else return not_equal(targets.tokens(), ignored_target);
}

/// Tokens of each row's completion, as real numbers: [..., Time] to [...].
template <class Time, class Targets>
constexpr auto completion_length(Targets const& targets) {
    return sum<Time>(completion_mask(targets));
}

/// ln p of each token of the completions, 0 elsewhere: logits [rows..., Time, Vocab] to [rows..., Time]. Position t
/// speaks of token t + 1. Computed as cross-entropy: the log-probabilities of other tokens are never stored.
/// PyTorch: log_softmax(logits).gather(-1, targets), masked.
template <class Vocab, class Logits, class Targets>
constexpr auto token_log_probabilities(Logits&& logits, Targets const& targets) {
    if constexpr (!detail::targets_fit<Targets>) return poison{};
    else return -cross_entropy_rows<Vocab>(std::forward<Logits>(logits), targets.tokens());
}

/// ln p(completion | prompt) = sum over the completion's tokens of ln p(token | what is before it): logits
/// [rows..., Time, Vocab] to [rows...]. What DPO, KTO and PPO are defined on. Source: Rafailov et al. (2023), section
/// 4; github.com/eric-mitchell/direct-preference-optimization, trainers.py, `_get_batch_logps`.
template <class Vocab, class Time, class Logits, class Targets>
constexpr auto sequence_log_probability(Logits&& logits, Targets const& targets) {
    return sum<Time>(token_log_probabilities<Vocab>(std::forward<Logits>(logits), targets));
}

/// The same, divided by the number of the completion's tokens (0 for a row without one). What SimPO and ORPO are
/// defined on, and what TRL uses for IPO.
template <class Vocab, class Time, class Logits, class Targets>
constexpr auto average_log_probability(Logits&& logits, Targets const& targets) {
    return sequence_log_probability<Vocab, Time>(std::forward<Logits>(logits), targets) /
           maximum(completion_length<Time>(targets), 1.0);
}

/// The loss of supervised fine-tuning: the mean over all tokens of all completions of -ln p. Prompts have no part in
/// it. PyTorch: cross_entropy(logits, labels, ignore_index=-100).
template <class Vocab, class Logits, class Targets>
constexpr auto completion_cross_entropy(Logits&& logits, Targets const& targets) {
    if constexpr (!detail::targets_fit<Targets>) return poison{};
    else return cross_entropy<Vocab>(std::forward<Logits>(logits), targets.tokens());
}

}  // namespace tenet
