// SPDX-License-Identifier: MIT
// Learning from preferences: fine-tuning on completions, a reward model, DPO with an adapter whose reference is its
// base.
#include <tenet/adapt.hpp>
#include <tenet/align.hpp>
#include <tenet/data.hpp>
#include <tenet/models.hpp>
#include <tenet/nn.hpp>
#include <tenet/op.hpp>
#include <tenet/optim.hpp>
#include <tenet/program.hpp>

#include <cstdint>
#include <cstdio>
#include <vector>

using namespace tenet;

// [axes]
struct tiny {
    static constexpr std::size_t layers = 1, heads = 2, width = 16, context = 12, vocabulary = 12;
};
using gpt = gpt2<tiny>;
using Vocab = gpt::Vocab;
struct Pairs : at_most<4> {};
struct Time : axis<12>, sequence {};

constexpr auto places_of(auto tokens) {
    return cast<dtype::int32>(positions<Time>(tokens));
}
// [axes]

// [fine_tuning]
struct Rows : at_most<8> {};
struct fine_tuning {
    constexpr auto operator()(auto const& model, auto tokens, auto targets) const {
        return completion_cross_entropy<Vocab>(model(tokens, places_of(tokens)), targets);
    }
};
using fine_tune = program<gpt, fine_tuning, tokens<Rows, Time>, completions<Rows, Time>>;
// [fine_tuning]

// [reward]
struct reward_model {
    gpt trunk;
    nn::scalar_head<gpt::Embed> score;
    constexpr auto operator()(auto tokens, auto last) const {
        return score(last_token<Time>(trunk.hidden(tokens, places_of(tokens)), last));
    }
};
struct reward_loss {
    constexpr auto operator()(auto const& model, auto tokens, auto last) const {
        auto r = model(tokens, last);  // [Pairs, preference_side]
        return std::tuple{reward_pairwise_loss<Pairs>(chosen(r), rejected(r)), r};
    }
};
using reward_step =
    program<reward_model, reward_loss, tokens<Pairs, preference_side, Time>, tokens<Pairs, preference_side>>;
// [reward]

// [dpo]
using adapter = lora<gpt, 4, all_linear>;

template <class Kind>
struct preference {
    constexpr auto operator()(auto const& base, auto const& delta, auto tokens, auto targets) const {
        using pair = policy_and_reference<Kind>;
        auto places = places_of(tokens);
        auto policy = sequence_log_probability<Vocab, Time>(pair::policy(base, delta)(tokens, places), targets);
        auto reference = sequence_log_probability<Vocab, Time>(pair::reference(base, delta)(tokens, places), targets);
        return std::tuple{
            dpo_loss<Pairs>(chosen(policy), rejected(policy), chosen(reference), rejected(reference), {.beta = 0.1}),
            implicit_reward(policy, reference, 0.1)};
    }
};
using dpo_step = program<policy_and_reference<adapter_off>::models_of<gpt, adapter>, preference<adapter_off>,
                         tokens<Pairs, preference_side, Time>, completions<Pairs, preference_side, Time>>;
static_assert(dpo_step::gradient_elements == parameter_elements<adapter>);  // one base, and none of it is trained
// [dpo]

int main() {
    // [batch]
    constexpr std::int32_t end_of_text = 11;
    preference_batch<Pairs, Time> batch({.end_of_text = end_of_text, .pad = end_of_text}, 2);
    batch.set(0, std::vector<std::int32_t>{0, 3}, std::vector<std::int32_t>{4, 5}, std::vector<std::int32_t>{2, 1});
    batch.set(1, std::vector<std::int32_t>{0, 5}, std::vector<std::int32_t>{6}, std::vector<std::int32_t>{4, 3, 2});
    // [batch]

    // [train]
    parameters<gpt> base;
    parameters<adapter> delta;
    initialize(base, init::gpt2{}, 1);
    initialize_adapter(delta, 2);
    dpo_step step;
    adamw<dpo_step, 1> optimiser({.weight_decay = 0});
    for (int i = 0; i < 200; ++i) {
        const float loss = step.value_and_grad(base, delta, batch.tokens(), batch.targets());
        if (i == 0) {
            expect_some_gradient(step);  // ln 2, and not for ever
            std::printf("loss at first %.4f\n", static_cast<double>(loss));
        }
        optimiser.step(delta, step, 2e-2);
    }
    const auto rewards = step.result<1>();
    std::vector<float> better, worse;
    for (std::size_t i = 0; i < 2; ++i) better.push_back(rewards(i, 0)), worse.push_back(rewards(i, 1));
    const preference_metrics m = metrics_of_rewards(better, worse);
    std::printf("rewards/accuracies %.2f, rewards/margins above 0.1: %s\n", m.accuracy, m.margin > 0.1 ? "yes" : "no");
    // [train]

    parameters<reward_model> judge;
    initialize(judge, init::gpt2{}, 3);
    reward_step learn;
    adamw<reward_step> judge_optimiser({.weight_decay = 0});
    for (int i = 0; i < 60; ++i) {
        learn.value_and_grad(judge, batch.tokens(), batch.last());
        judge_optimiser.step(judge, learn, 1e-2);
    }
    const auto score = learn.result<1>();
    std::printf("chosen above rejected: %d of 2\n", (score(0, 0) > score(0, 1)) + (score(1, 0) > score(1, 1)));

    completion_batch<Rows, Time> examples({.end_of_text = end_of_text, .pad = end_of_text}, 1);
    examples.set(0, std::vector<std::int32_t>{0, 3}, std::vector<std::int32_t>{4, 5});
    fine_tune tune;
    std::printf("tokens that are fine-tuned on: %zu, loss %.1f\n", examples.targets().count(),
                static_cast<double>(tune.value_and_grad(base, examples.tokens(), examples.targets())));
}
