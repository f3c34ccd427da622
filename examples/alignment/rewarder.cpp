// SPDX-License-Identifier: MIT
#include "rewarder.hpp"

#include <algorithm>
#include <cmath>

#include <tenet/align.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/optim.hpp>
#include <tenet/program.hpp>

#include "state.hpp"

namespace alignment {
namespace {

struct reward_model {
    gpt trunk;
    nn::scalar_head<gpt::Embed> score;
    constexpr auto operator()(auto tokens, auto last) const {
        return score(last_token<Time>(trunk.hidden(tokens, places_of(tokens)), last));
    }
};
/// The head's are N(0, 1/(d + 1)): Stiennon et al. (2020), appendix B.1.
struct first_values {
    init::distribution operator()(parameter_leaf const& leaf) const {
        if (leaf.path.view() != "score.weight") return init::gpt2{}(leaf);
        return init::normal(1 / std::sqrt(static_cast<double>(sizes::width) + 1));
    }
};
struct pairwise {
    constexpr auto operator()(auto const& model, auto tokens, auto last) const {
        auto reward = model(tokens, last);
        return std::tuple{reward_pairwise_loss<Pairs>(chosen(reward), rejected(reward), {.centering = 0.01}), reward};
    }
};
struct rewards_of_rows {
    constexpr auto operator()(auto const& model, auto tokens, auto last) const { return model(tokens, last); }
};
using step_program =
    program<reward_model, pairwise, tokens<Pairs, preference_side, Time>, tokens<Pairs, preference_side>>;
using reward_program = evaluation<reward_model, rewards_of_rows, tokens<Rows, Time>, tokens<Rows>>;

}  // namespace

struct rewarder::implementation {
    parameters<reward_model> theta{};
    step_program run{};
    reward_program measure{};
    adamw<step_program> optimiser{adamw_options{.weight_decay = 0.1}};
};

rewarder::rewarder(parameters<gpt> const& first, std::uint64_t seed) : implementation_(new implementation) {
    parameters<reward_model>& theta = implementation_->theta;
    initialize(theta, first_values{}, seed);
    parameters<gpt> trunk = first;
    for (named_array const& a : trunk.arrays())
        std::copy_n(static_cast<float const*>(a.data), a.size(), theta.span("trunk." + a.name).data());
}
rewarder::~rewarder() = default;

rewarder::outcome rewarder::step(std::span<encoded_pair const> pairs, double rate) {
    auto& [theta, run, measure, optimiser] = *implementation_;
    const pair_batch batch = batch_of(pairs);
    const auto loss = static_cast<double>(run.value_and_grad(theta, batch.tokens(), batch.last()));
    const auto r = run.result<1>();
    double right = 0;
    for (std::size_t i = 0; i < pairs.size(); ++i) right += r(i, 0) > r(i, 1) ? 1 : 0;
    optimiser.step(theta, run, rate, clip_factor(gradient_norm(run), 1));
    return {loss, right / static_cast<double>(pairs.size())};
}

std::vector<double> rewarder::rewards(std::vector<completion_row> const& rows) {
    auto& [theta, run, measure, optimiser] = *implementation_;
    std::vector<double> all;
    row_batch batch(row_options);
    for (std::size_t at = 0; at < rows.size(); at += Rows::capacity) {
        batch.resize(std::min(Rows::capacity, rows.size() - at));
        for (std::size_t i = 0; i < batch.targets().rows(); ++i) batch.set(i, rows[at + i]);
        measure(theta, batch.tokens(), batch.last());
        const auto r = measure.result();
        all.insert(all.end(), r.begin(), r.end());
    }
    return all;
}

preference_metrics rewarder::metrics(std::span<encoded_pair const> pairs) {
    return metrics_of_rewards(rewards(rows_of(pairs, 0)), rewards(rows_of(pairs, 1)));
}

void rewarder::normalise(std::vector<completion_row> const& rows) {
    const reward_scale scale = reward_scale::normalised(rewards(rows));
    parameters<reward_model>& theta = implementation_->theta;
    for (float& w : theta.span("score.weight")) w *= static_cast<float>(scale.gain);
    float& bias = theta.span("score.bias")[0];
    bias = static_cast<float>(scale(static_cast<double>(bias)));
}

std::vector<named_array> rewarder::state() {
    return state_of(implementation_->theta, implementation_->optimiser.arrays());
}

}  // namespace alignment
