// SPDX-License-Identifier: MIT
// align: one round of policy optimisation: from sampled completions to updates. What is sampled, judged and stepped is
// the caller's, as three callables, so that any number of models and programs can take part; this is the bookkeeping
// between them, where other implementations go wrong.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <tenet/align/ppo_options.hpp>
#include <tenet/align/rollout.hpp>

namespace tenet {

/// The bookkeeping of PPO, RLOO and GRPO. `Batch` is an at_most axis, `Time` the rows' constant one; `Coefficient` is
/// `fixed_kl_coefficient` or `adaptive_kl_coefficient`.
///
/// A round: judge all completions under the policy as it is now, make rewards, advantages and returns of them, then
/// update in minibatches, `epochs` times over, shuffled anew each time as a function of (seed, round, epoch).
/// Log-probabilities are recomputed and not taken from the sampler, so that the ratio is exactly 1 in the first update.
template <class Batch, class Time, class Coefficient = adaptive_kl_coefficient, class T = float>
class ppo_trainer {
public:
    using batch_type = rollout_batch<Batch, Time, T>;
    using judgement_type = rollout_judgement<Batch, Time, T>;

    explicit ppo_trainer(completion_options const& rows, ppo_options const& options = {},
                         Coefficient coefficient = Coefficient{})
        : options_(options), coefficient_(coefficient), batch_(rows) {
        if (options_.minibatch == 0 || options_.epochs == 0)
            fail_expectation("ppo_trainer", "epochs and minibatches of at least one", "0");
        options_.minibatch = std::min(options_.minibatch, Batch::capacity);
    }

    /// One round. `judge(batch)` gives a `rollout_judgement` of the batch's rows; `gradients(batch)` runs the update
    /// program on a minibatch and gives its `ppo_outcome`; `update()` then steps the optimiser.
    /// Errors: `exception` if there are no rollouts, if groups are not whole, or if the sampler's log-probabilities are
    /// not the policy's.
    template <class Judge, class Gradients, class Update>
    ppo_diagnostics round(std::vector<rollout> const& rollouts, Judge&& judge, Gradients&& gradients, Update&& update) {
        if (rollouts.empty()) fail_expectation("ppo_trainer", "at least one rollout", "none");
        experience e = collect(rollouts, judge);
        ppo_diagnostics d = reward(rollouts, e);
        std::vector<std::size_t> order(rollouts.size());
        for (std::size_t epoch = 0; epoch < options_.epochs && !d.stopped_early; ++epoch) {
            std::iota(order.begin(), order.end(), std::size_t{0});
            shuffle(order, epoch);
            for (std::size_t at = 0; at < order.size() && !d.stopped_early; at += options_.minibatch) {
                const std::size_t n = std::min(options_.minibatch, order.size() - at);
                fill(rollouts, e, {order.data() + at, n});
                const ppo_outcome o = gradients(std::as_const(batch_));
                if (options_.most_divergence > 0 && o.divergence > options_.most_divergence) {
                    d.stopped_early = true;
                } else {
                    update();
                    add(d, o);
                }
            }
        }
        if (d.updates > 0) scale(d.steps, 1 / static_cast<double>(d.updates));
        coefficient_.update(d.kl, rollouts.size());
        ++round_;
        return d;
    }

    Coefficient const& coefficient() const { return coefficient_; }
    ppo_options const& options() const { return options_; }
    /// Rounds done; a resumed run sets it, and shuffles as it would have.
    std::uint64_t rounds() const { return round_; }
    void set_rounds(std::uint64_t n) { round_ = n; }

private:
    struct experience {
        token_rows<double> policy, reference, values, advantages, returns;
    };

    ppo_options options_;
    Coefficient coefficient_;
    batch_type batch_;
    std::uint64_t round_ = 0;

    template <class Judge>
    experience collect(std::vector<rollout> const& rollouts, Judge&& judge) {
        experience e;
        for (std::size_t at = 0; at < rollouts.size(); at += Batch::capacity) {
            const std::size_t n = std::min(Batch::capacity, rollouts.size() - at);
            batch_.resize(n);
            for (std::size_t i = 0; i < n; ++i) batch_.rows.set(i, rollouts[at + i].row);
            const judgement_type j = judge(std::as_const(batch_));
            for (std::size_t i = 0; i < n; ++i) {
                const auto keep = [&](token_rows<double>& to, tensor<T, Batch, Time> const& from) {
                    const auto part = batch_.rows.targets().part(from, i);
                    to.push_back(std::vector<double>(part.begin(), part.end()));
                };
                keep(e.policy, j.log_probabilities);
                keep(e.reference, j.reference_log_probabilities);
                keep(e.values, j.values);
                check_sampling(rollouts[at + i], e.policy[at + i], at + i);
            }
        }
        return e;
    }

    void check_sampling(rollout const& r, std::span<double const> recomputed, std::size_t index) const {
        if (r.log_probabilities.empty()) return;
        detail::expect_lengths("ppo_trainer: sampled log-probabilities", recomputed.size(), r.log_probabilities.size());
        for (std::size_t t = 0; t < recomputed.size(); ++t)
            if (!(std::fabs(recomputed[t] - r.log_probabilities[t]) <= options_.sampling_tolerance))
                fail_expectation("ppo_trainer",
                                 "completions sampled from the policy that is trained, as it is: token " +
                                     std::to_string(t) + " of rollout " + std::to_string(index) +
                                     " with the log-probability " + std::to_string(recomputed[t]),
                                 std::to_string(r.log_probabilities[t]));
    }

    ppo_diagnostics reward(std::vector<rollout> const& rollouts, experience& e) {
        ppo_diagnostics d;
        d.coefficient = coefficient_.value();
        const bool in_reward = options_.estimator != advantage_estimator::group_relative;
        const reward_shaping_options shaping{in_reward ? d.coefficient : 0, options_.kl, score_place::last_token};
        token_rows<double> rewards;
        std::vector<double> totals;
        for (std::size_t i = 0; i < rollouts.size(); ++i) {
            rollout const& r = rollouts[i];
            const std::span<double const> policy = std::as_const(e.policy)[i],
                                          reference = std::as_const(e.reference)[i];
            std::vector<double> row(policy.size());
            token_rewards(policy, reference,
                          score_without_end(r.score, r.finished, options_.without_end, options_.without_end_penalty),
                          row, shaping);
            totals.push_back(std::accumulate(row.begin(), row.end(), 0.0));
            for (std::size_t t = 0; t < policy.size(); ++t) d.kl += policy[t] - reference[t];
            d.score += r.score;
            d.length += static_cast<double>(policy.size());
            d.finished += r.finished ? 1 : 0;
            rewards.push_back(row);
        }
        const double each = 1 / static_cast<double>(rollouts.size());
        for (double* sum : {&d.kl, &d.score, &d.length, &d.finished}) *sum *= each;
        d.reward = mean_of(totals);
        d.explained_variance = std::nan("");
        if (options_.estimator == advantage_estimator::gae) {
            if (options_.whiten_rewards) whiten(rewards.flat(), {.shift_mean = false, .epsilon_in_root = true});
            e.advantages = generalized_advantages(rewards, e.values, options_.gae);
            e.returns = returns_of(e.advantages, e.values);
            d.explained_variance = explained_variance(e.values.flat(), e.returns.flat());
            if (options_.whiten_advantages) whiten(e.advantages.flat());
        } else {
            const std::vector<double> one = options_.estimator == advantage_estimator::leave_one_out
                                                ? leave_one_out_advantages(totals, options_.group)
                                                : group_relative_advantages(totals, options_.group, options_.relative);
            for (std::size_t i = 0; i < one.size(); ++i)
                e.advantages.push_back(std::vector<double>(e.policy.length(i), one[i]));
            e.returns = e.values;
        }
        return d;
    }

    void fill(std::vector<rollout> const& rollouts, experience const& e, std::span<std::size_t const> which) {
        batch_.resize(which.size());
        for (std::size_t i = 0; i < which.size(); ++i) {
            const std::size_t k = which[i];
            batch_.rows.set(i, rollouts[k].row);
            const auto put = [&](tensor<T, Batch, Time>& to, std::span<double const> from) {
                std::transform(from.begin(), from.end(), batch_.rows.targets().part(to, i).begin(),
                               [](double v) { return static_cast<T>(v); });
            };
            put(batch_.old_log_probabilities, e.policy[k]);
            put(batch_.reference_log_probabilities, e.reference[k]);
            put(batch_.advantages, e.advantages[k]);
            put(batch_.old_values, e.values[k]);
            put(batch_.returns, e.returns[k]);
            batch_.advantage.data()[i] = static_cast<T>(e.advantages[k].front());
        }
    }

    // Fisher and Yates, by draws that are a function of (seed, round, epoch, place).
    void shuffle(std::vector<std::size_t>& order, std::size_t epoch) const {
        std::uint64_t state = options_.seed;
        for (std::uint64_t key : {round_, static_cast<std::uint64_t>(epoch)}) state = mix(state ^ mix(key + 1));
        for (std::size_t i = order.size(); i > 1; --i) {
            state = mix(state);
            std::swap(order[i - 1], order[state % i]);
        }
    }
    static constexpr std::uint64_t mix(std::uint64_t x) {
        x += 0x9e3779b97f4a7c15u;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        return x ^ (x >> 31);
    }

    static void add(ppo_diagnostics& d, ppo_outcome const& o) {
        ++d.updates;
        d.steps.total += o.total;
        d.steps.policy_loss += o.policy_loss;
        d.steps.value_loss += o.value_loss;
        d.steps.entropy += o.entropy;
        d.steps.divergence += o.divergence;
        d.steps.clip_fraction += o.clip_fraction;
    }
    static void scale(ppo_outcome& o, double by) {
        for (double* v : {&o.total, &o.policy_loss, &o.value_loss, &o.entropy, &o.divergence, &o.clip_fraction})
            *v *= by;
    }
};

}  // namespace tenet
