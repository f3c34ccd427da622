// SPDX-License-Identifier: MIT
#include "preference_tuner.hpp"

#include <tenet/adapt.hpp>
#include <tenet/align.hpp>
#include <tenet/optim.hpp>
#include <tenet/program.hpp>

#include "state.hpp"

namespace alignment {
namespace {

using adapter = lora<gpt, 8, all_linear, lora_options{.alpha = 16}>;

struct preference_loss {
    constexpr auto operator()(auto const& base, auto const& delta, auto tokens, auto targets, auto reference,
                              auto beta) const {
        using pair = policy_and_reference<adapter_off>;
        const auto policy =
            sequence_log_probability<Vocab, Time>(pair::policy(base, delta)(tokens, places_of(tokens)), targets);
        // beta is an input, so that one program serves all: what the loss is a function of is scaled.
        const auto scaled = beta * policy;
        const auto held = beta * reference;
        return std::tuple{dpo_loss<Pairs>(chosen(scaled), rejected(scaled), chosen(held), rejected(held), {.beta = 1}),
                          policy};
    }
};
using step_program = program<models<gpt, adapter>, preference_loss, tokens<Pairs, preference_side, Time>,
                             completions<Pairs, preference_side, Time>, values<Pairs, preference_side>, values<>>;
// The base costs neither gradients nor moments.
static_assert(step_program::gradient_elements == parameter_elements<adapter>);

}  // namespace

struct preference_tuner::implementation {
    parameters<gpt> const* base;
    double beta;
    parameters<adapter> delta{};
    step_program run{};
    adamw<step_program, 1> optimiser{adamw_options{.weight_decay = 0}};
};

preference_tuner::preference_tuner(parameters<gpt> const& base, double beta, std::uint64_t seed)
    : implementation_(new implementation{&base, beta}) {
    initialize_adapter(implementation_->delta, seed);
}
preference_tuner::~preference_tuner() = default;

preference_tuner::outcome preference_tuner::step(std::span<encoded_pair const> pairs,
                                                 std::span<reference const> references, double rate) {
    implementation& p = *implementation_;
    const pair_batch batch = batch_of(pairs);
    tensor<float, Pairs, preference_side> held(extent<Pairs>(pairs.size()));
    std::vector<float> sides[4];
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        held(i, 0) = static_cast<float>(references[i].chosen);
        held(i, 1) = static_cast<float>(references[i].rejected);
    }
    tensor<float> beta;
    *beta.data() = static_cast<float>(p.beta);
    const auto loss =
        static_cast<double>(p.run.value_and_grad(*p.base, p.delta, batch.tokens(), batch.targets(), held, beta));
    expect_some_gradient(p.run);
    const auto policy = p.run.result<1>();
    for (std::size_t i = 0; i < pairs.size(); ++i)
        for (std::size_t k = 0; k < 2; ++k) {
            sides[k].push_back(policy(i, k));
            sides[2 + k].push_back(held(i, k));
        }
    p.optimiser.step(p.delta, p.run, rate, clip_factor(gradient_norm(p.run), 1));
    return {loss, metrics_of_policy(sides[0], sides[1], sides[2], sides[3], p.beta)};
}

parameters<gpt> preference_tuner::weights() const {
    return merge(parameters<gpt>(*implementation_->base), implementation_->delta).take();
}

std::vector<named_array> preference_tuner::state() {
    return state_of(implementation_->delta, implementation_->optimiser.arrays());
}

std::size_t preference_tuner::trained() {
    return parameter_count<adapter>;
}

}  // namespace alignment
