// SPDX-License-Identifier: MIT
#include "tuner.hpp"

#include <algorithm>

#include <tenet/align/sequence_log_probability.hpp>
#include <tenet/optim.hpp>
#include <tenet/program.hpp>

#include "state.hpp"

namespace alignment {
namespace {

struct fine_tuning {
    constexpr auto operator()(auto const& model, auto tokens, auto targets) const {
        return completion_cross_entropy<Vocab>(model(tokens, places_of(tokens)), targets);
    }
};
using step_program = program<gpt, fine_tuning, tokens<Rows, Time>, completions<Rows, Time>>;
using loss_program = evaluation<gpt, fine_tuning, tokens<Rows, Time>, completions<Rows, Time>>;

}  // namespace

struct tuner::implementation {
    parameters<gpt> theta;
    step_program run{};
    loss_program measure{};
    adamw<step_program> optimiser{adamw_options{.beta2 = 0.99, .weight_decay = 0.1}};
};

tuner::tuner(parameters<gpt> const& first) : implementation_(new implementation{first}) {}
tuner::~tuner() = default;

double tuner::step(row_batch const& batch, double rate) {
    auto& [theta, run, measure, optimiser] = *implementation_;
    const auto loss = static_cast<double>(run.value_and_grad(theta, batch.tokens(), batch.targets()));
    optimiser.step(theta, run, rate, clip_factor(gradient_norm(run), 1));
    return loss;
}

double tuner::loss(std::span<row_batch const> batches) {
    auto& [theta, run, measure, optimiser] = *implementation_;
    double sum = 0, count = 0;
    for (row_batch const& batch : batches) {
        const auto n = static_cast<double>(batch.targets().count());
        sum += n * static_cast<double>(measure(theta, batch.tokens(), batch.targets()));
        count += n;
    }
    return sum / count;
}

parameters<gpt> const& tuner::weights() const {
    return implementation_->theta;
}

std::vector<named_array> tuner::state() {
    return state_of(implementation_->theta, implementation_->optimiser.arrays());
}

std::vector<row_batch> in_batches(std::vector<completion_row> const& rows, std::size_t each) {
    std::vector<row_batch> all;
    for (std::size_t at = 0; at < rows.size(); at += each) {
        all.emplace_back(row_options, std::min(each, rows.size() - at));
        for (std::size_t i = 0; i < all.back().targets().rows(); ++i) all.back().set(i, rows[at + i]);
    }
    return all;
}

}  // namespace alignment
