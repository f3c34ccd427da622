// SPDX-License-Identifier: MIT
// align: losses of reward models, which learn from comparisons that people made.
#pragma once

#include <string>

#include <tenet/align/operand_axes.hpp>
#include <tenet/base/exception.hpp>
#include <tenet/op/activation.hpp>
#include <tenet/op/comparison.hpp>
#include <tenet/op/extremum.hpp>
#include <tenet/op/gather.hpp>
#include <tenet/op/rearrange.hpp>
#include <tenet/op/reduce.hpp>

namespace tenet {

/// Options of `reward_pairwise_loss`.
struct reward_options {
    double centering = 0;  ///< c: adds c mean((chosen + rejected)^2), which keeps rewards around 0 (TRL: 0.01)
};

namespace detail {

struct reward_pairwise;
struct reward_ranked;

/// A second axis as long as `A`: what A's elements are compared with.
template <class A>
struct other_of : std::conditional_t<A::is_static, axis<A::capacity>, at_most<A::capacity>> {};

template <class... Row, class Chosen, class Rejected, class Difference>
constexpr auto pairwise(Chosen const& chosen, Rejected const& rejected, Difference const& difference,
                        reward_options const& options) {
    if (options.centering < 0)
        fail_expectation("reward_pairwise_loss", "centering >= 0", std::to_string(options.centering));
    const auto sum = chosen + rejected;
    return mean<Row...>(options.centering * (sum * sum) - log_sigmoid(difference));
}

template <class Prompt, class Rank, class Scores, class Kept>
constexpr auto ranked(Scores const& scores, Kept const& kept) {
    using other = other_of<Rank>;
    const auto worse = rename<Rank, other>(scores);
    const auto pair =
        logical_and(less(positions<Rank>(scores), positions<other>(worse)), kept(positions<other>(worse)));
    // The 1/C(K,2) of the paper: every prompt counts alike, however many completions it has.
    return mean<Prompt>(sum<Rank, other>(where(pair, -log_sigmoid(scores - worse), 0.0)) /
                        maximum(sum<Rank, other>(where(pair, 1.0 + 0.0 * scores, 0.0)), 1.0));
}

}  // namespace detail

/// loss = mean over `Row...` of -ln sigmoid(chosen - rejected) [+ c (chosen + rejected)^2]: the likelihood of the
/// choices under Bradley and Terry's model. Ouyang et al.: InstructGPT (2022), eq. (1) for K = 2; the centring is of
/// Eisenstein et al. (2023). TRL: RewardTrainer.
template <class... Row, Operand Chosen, Operand Rejected>
constexpr auto reward_pairwise_loss(Chosen const& chosen, Rejected const& rejected, reward_options options = {}) {
    if constexpr (!detail::operands_fit<detail::reward_pairwise, axes<Row...>, Chosen, Rejected>) return poison{};
    else return detail::pairwise<Row...>(chosen, rejected, chosen - rejected, options);
}
/// The same with a margin by which the chosen reward is to be higher, one a row: -ln sigmoid(chosen - rejected -
/// margin). Touvron et al.: Llama 2 (2023), eq. (2).
template <class... Row, Operand Chosen, Operand Rejected, Operand Margin>
constexpr auto reward_pairwise_loss(Chosen const& chosen, Rejected const& rejected, Margin const& margin,
                                    reward_options options = {}) {
    if constexpr (!detail::operands_fit<detail::reward_pairwise, axes<Row...>, Chosen, Rejected, Margin>)
        return poison{};
    else return detail::pairwise<Row...>(chosen, rejected, chosen - rejected - margin, options);
}

/// loss = mean over prompts of 1/C(K,2) sum over a < b of -ln sigmoid(s_a - s_b): scores [Prompt, Rank], the best
/// completion first. All pairs of a prompt are in one step: as separate examples they would overfit.
/// Ouyang et al.: InstructGPT (2022), eq. (1) and section 3.5.
template <class Prompt, class Rank, Operand Scores>
constexpr auto reward_ranked_loss(Scores const& scores) {
    if constexpr (!detail::operands_fit<detail::reward_ranked, axes<Prompt, Rank>, Scores>) return poison{};
    else return detail::ranked<Prompt, Rank>(scores, [](auto const& p) { return greater_equal(p, 0.0); });
}
/// The same where prompt number p has only the first `counts[p]` completions (real numbers); one without a pair counts
/// 0.
template <class Prompt, class Rank, Operand Scores, Operand Counts>
constexpr auto reward_ranked_loss(Scores const& scores, Counts const& counts) {
    if constexpr (!detail::operands_fit<detail::reward_ranked, axes<Prompt, Rank>, Scores> ||
                  !detail::operands_fit<detail::reward_ranked, axes<Prompt>, Counts>)
        return poison{};
    else return detail::ranked<Prompt, Rank>(scores, [&](auto const& p) { return less(p, counts); });
}

}  // namespace tenet
