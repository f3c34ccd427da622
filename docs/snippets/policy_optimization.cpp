// SPDX-License-Identifier: MIT
// Policy optimisation: completions are sampled with the key-value cache, judged, and the policy is updated by PPO.
#include <tenet/align.hpp>
#include <tenet/generate.hpp>
#include <tenet/models.hpp>
#include <tenet/nn.hpp>
#include <tenet/op.hpp>
#include <tenet/optim.hpp>
#include <tenet/program.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <vector>

using namespace tenet;

struct tiny {
    static constexpr std::size_t layers = 1, heads = 2, width = 16, context = 12, vocabulary = 12;
};
using gpt = gpt2<tiny>;
using Vocab = gpt::Vocab;
struct Batch : at_most<16> {};
struct Time : axis<12>, sequence {};

// [programs]
using value_head = nn::scalar_head<gpt::Embed>;

struct judgement {  // what policy, reference and value function say of the tokens
    constexpr auto operator()(auto const& policy, auto const& value, auto const& reference, auto tokens,
                              auto targets) const {
        auto places = cast<dtype::int32>(positions<Time>(tokens));
        auto h = policy.hidden(tokens, places);
        return std::tuple{token_log_probabilities<Vocab>(policy.logits(h), targets),
                          token_log_probabilities<Vocab>(reference(tokens, places), targets), value(h)};
    }
};
using judge_program =
    evaluation<models<gpt, value_head, gpt>, judgement, tokens<Batch, Time>, completions<Batch, Time>>;

struct update {
    constexpr auto operator()(auto const& policy, auto const& value, auto tokens, auto targets, auto old,
                              auto advantages, auto old_values, auto returns) const {
        auto h = policy.hidden(tokens, cast<dtype::int32>(positions<Time>(tokens)));  // a trunk that both share
        return ppo_step<Vocab, Batch, Time>(policy.logits(h), value(h), targets, old, advantages, old_values, returns,
                                            {.entropy_weight = 0.01});
    }
};
using update_program = program<models<gpt, value_head>, update, tokens<Batch, Time>, completions<Batch, Time>,
                               values<Batch, Time>, values<Batch, Time>, values<Batch, Time>, values<Batch, Time>>;
// [programs]

int main() {
    constexpr std::int32_t end_of_text = 11;
    parameters<gpt> policy;
    parameters<value_head> value;
    initialize(policy, init::gpt2{}, 1);
    const parameters<gpt> reference = policy;

    // [round]
    judge_program judge;
    update_program step;
    adamw<update_program, 0> policy_optimiser({.weight_decay = 0});
    adamw<update_program, 1> value_optimiser({.weight_decay = 0});
    generator<gpt, 16> write(policy);
    ppo_trainer<Batch, Time> trainer({.end_of_text = end_of_text, .pad = end_of_text},
                                     {.without_end = missing_end::subtract, .without_end_penalty = 0.2},
                                     adaptive_kl_coefficient(0.02, /*target*/ 4, /*horizon*/ 2000));

    const auto round = [&](std::uint64_t number) {
        const std::vector<std::vector<std::int32_t>> prompts{{0, 1}, {0, 2}, {0, 3}, {0, 4}};
        auto rollouts =
            sample_rollouts(write, prompts, {.each = 8, .max_tokens = 8, .end_of_text = end_of_text, .seed = number});
        for (rollout& r : rollouts)  // what is wanted here: the token 7, often
            r.score = static_cast<double>(std::count(r.completion().begin(), r.completion().end(), 7));
        return trainer.round(
            rollouts,
            [&](auto const& batch) {
                judge(policy, value, reference, batch.rows.tokens(), batch.rows.targets());
                return rollout_judgement<Batch, Time>{judge.result<0>(), judge.result<1>(), judge.result<2>()};
            },
            [&](auto const& batch) {
                step(policy, value, batch.rows.tokens(), batch.rows.targets(), batch.old_log_probabilities,
                     batch.advantages, batch.old_values, batch.returns);
                const auto number_of = [](auto const& scalar) { return static_cast<double>(*scalar.data()); };
                return ppo_outcome{number_of(step.result<0>()), number_of(step.result<1>()),
                                   number_of(step.result<2>()), number_of(step.result<3>()),
                                   number_of(step.result<4>()), number_of(step.result<5>())};
            },
            [&] {
                policy_optimiser.step(policy, step, 3e-3);
                value_optimiser.step(value, step, 3e-3);
            });
    };
    // [round]

    const ppo_diagnostics first = round(0);
    ppo_diagnostics last = first;
    for (std::uint64_t i = 1; i < 30; ++i) last = round(i);
    std::printf("updates a round %zu, divergence at first %.3f\n", first.updates, first.kl);
    std::printf("score rose: %s\n", last.score > first.score + 1 ? "yes" : "no");
    std::printf("divergence negative: %s\n", last.negative_kl() ? "yes" : "no");
}
