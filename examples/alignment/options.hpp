// SPDX-License-Identifier: MIT
// The command line that the four programs share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace alignment {

struct options {
    std::filesystem::path text, data, out = "run";
    std::optional<std::size_t> pretrain_steps, tune_steps;  // default_steps if they are not given
    std::size_t batch = 16, prompts = 3000, reward_epochs = 2, rounds = 32, rollouts = 96, dpo_epochs = 2, tests = 256,
                samples = 8, seeds = 1, stop_after = 0;
    double pretrain_rate = 2e-3, tune_rate = 1e-3, reward_rate = 3e-4, ppo_rate = 2e-4, dpo_rate = 1e-3, beta = 0.1,
           kl_coefficient = 0.1, kl_target = 8, kl_horizon = 200;
    std::uint64_t seed = 1;
    std::string prompt;               // of the completions to score
    std::vector<std::string> scored;  // scored instead of a report
    int threads = 2;
    bool fresh = false;
};

/// Steps of pretraining and of fine-tuning: fewer where a text is short, which more passes would be learnt by heart,
/// and then every change of the model is far from it.
struct default_steps {
    std::size_t most, passes;
    constexpr std::size_t of(std::size_t rows, std::size_t batch) const {
        return std::clamp<std::size_t>(passes * rows / batch, 1, most);
    }
};
inline constexpr default_steps pretraining{1500, 8}, fine_tuning{400, 3};

/// Which groups of options a program has beside those that all have.
struct option_groups {
    bool ppo = false, dpo = false, seeds = false, scores = false;
};
void add_options(CLI::App& app, options& o, option_groups groups);

}  // namespace alignment
