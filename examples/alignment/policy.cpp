// SPDX-License-Identifier: MIT
#include "policy.hpp"

#include <tenet/align.hpp>
#include <tenet/optim.hpp>
#include <tenet/program.hpp>

#include "state.hpp"

namespace alignment {
namespace {

using value_head = nn::scalar_head<gpt::Embed>;

struct judgement {
    constexpr auto operator()(auto const& now, auto const& value, auto const& reference, auto tokens,
                              auto targets) const {
        auto places = places_of(tokens);
        auto h = now.hidden(tokens, places);
        return std::tuple{token_log_probabilities<Vocab>(now.logits(h), targets),
                          token_log_probabilities<Vocab>(reference(tokens, places), targets), value(h)};
    }
};
struct update {
    constexpr auto operator()(auto const& now, auto const& value, auto tokens, auto targets, auto old, auto advantages,
                              auto old_values, auto returns) const {
        auto h = now.hidden(tokens, places_of(tokens));
        return ppo_step<Vocab, Rows, Time>(now.logits(h), value(h), targets, old, advantages, old_values, returns);
    }
};
using row_values = values<Rows, Time>;
using judge_program = evaluation<models<gpt, value_head, gpt>, judgement, tokens<Rows, Time>, completions<Rows, Time>>;
using update_program = program<models<gpt, value_head>, update, tokens<Rows, Time>, completions<Rows, Time>, row_values,
                               row_values, row_values, row_values>;

/// A coefficient that a checkpoint can hold: it lives outside of the trainer. 0 remains 0.
class kept_coefficient {
public:
    kept_coefficient(double& value, policy_settings const& s) : value_(&value), settings_(s) {}
    double value() const { return *value_; }
    void update(double kl, std::size_t completions) {
        if (!(*value_ > 0)) return;
        adaptive_kl_coefficient steered(*value_, settings_.kl_target, settings_.kl_horizon, settings_.kl_coefficient);
        steered.update(kl, completions);
        *value_ = steered.value();
    }

private:
    double* value_;
    policy_settings settings_;
};

}  // namespace

struct policy::implementation {
    parameters<gpt> const* reference;
    policy_settings settings;
    parameters<gpt> now;
    double coefficient;
    parameters<value_head> value{};
    judge_program judge{};
    update_program step{};
    adamw<update_program, 0> policy_optimiser{adamw_options{.weight_decay = 0}};
    adamw<update_program, 1> value_optimiser{adamw_options{.weight_decay = 0}};
    ppo_trainer<Rows, Time, kept_coefficient> trainer;

    implementation(parameters<gpt> const& first, policy_settings const& s)
        : reference(&first),
          settings(s),
          now(first),
          coefficient(s.kl_coefficient),
          trainer(row_options,
                  {.without_end = missing_end::subtract, .epochs = s.epochs, .minibatch = s.minibatch, .seed = s.seed},
                  kept_coefficient(coefficient, s)) {}
};

policy::policy(parameters<gpt> const& first, policy_settings const& settings)
    : implementation_(new implementation(first, settings)) {}
policy::~policy() = default;

ppo_diagnostics policy::round(std::vector<rollout> const& rollouts, std::size_t number) {
    implementation& p = *implementation_;
    p.trainer.set_rounds(number);
    return p.trainer.round(
        rollouts,
        [&](auto const& batch) {
            p.judge(p.now, p.value, *p.reference, batch.rows.tokens(), batch.rows.targets());
            return rollout_judgement<Rows, Time>{p.judge.result<0>(), p.judge.result<1>(), p.judge.result<2>()};
        },
        [&](auto const& batch) {
            p.step.value_and_grad(p.now, p.value, batch.rows.tokens(), batch.rows.targets(),
                                  batch.old_log_probabilities, batch.advantages, batch.old_values, batch.returns);
            const auto number_of = [](auto const& scalar) { return static_cast<double>(*scalar.data()); };
            return ppo_outcome{number_of(p.step.result<0>()), number_of(p.step.result<1>()),
                               number_of(p.step.result<2>()), number_of(p.step.result<3>()),
                               number_of(p.step.result<4>()), number_of(p.step.result<5>())};
        },
        [&] {
            const double factor = clip_factor(gradient_norm(p.step), 1);
            p.policy_optimiser.step(p.now, p.step, p.settings.rate, factor);
            // A head of zeros has further to go than a trunk that has been trained.
            p.value_optimiser.step(p.value, p.step, 10 * p.settings.rate, factor);
        });
}

parameters<gpt> const& policy::weights() const {
    return implementation_->now;
}

std::vector<named_array> policy::state() {
    implementation& p = *implementation_;
    std::vector<named_array> all = state_of(p.now, p.policy_optimiser.arrays());
    append(all, state_of(p.value, p.value_optimiser.arrays()), "value.");
    all.push_back({"kl_coefficient", dtype::float64, {1}, &p.coefficient});
    return all;
}

}  // namespace alignment
