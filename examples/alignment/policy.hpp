// SPDX-License-Identifier: MIT
// PPO: policy and value function share a trunk, the reference is a frozen copy of the policy as it was; one program
// judges with all three, another one updates.
#pragma once

#include <memory>
#include <vector>

#include <tenet/align/ppo_options.hpp>
#include <tenet/align/rollout.hpp>
#include <tenet/tensor/named_array.hpp>

#include "model.hpp"

namespace alignment {

struct policy_settings {
    double rate = 2e-4;
    double kl_coefficient = 0.1;  ///< at first, and at least; 0: the divergence costs nothing
    double kl_target = 8;         ///< nats a completion, which the coefficient is steered towards
    double kl_horizon = 200;      ///< completions in which it changes by a fifth at most
    std::size_t epochs = 2, minibatch = Rows::capacity;
    std::uint64_t seed = 1;
};

class policy {
public:
    /// `first` is borrowed: it is the reference.
    policy(parameters<gpt> const& first, policy_settings const& settings);
    ~policy();

    /// Round `number` with completions that `weights()` said, as it is.
    ppo_diagnostics round(std::vector<rollout> const& rollouts, std::size_t number);
    parameters<gpt> const& weights() const;
    /// All that changes, the coefficient too; borrowed.
    std::vector<named_array> state();

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

}  // namespace alignment
