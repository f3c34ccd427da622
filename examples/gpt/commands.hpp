// SPDX-License-Identifier: MIT
// The three things that the program does. Each returns the exit code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

namespace gpt {

/// All that decides a run's weights, besides the text; and how often it is evaluated.
struct run_settings {
    std::size_t steps = 3000, batch = 12, warmup = 100;
    double rate = 1e-3, minimum_rate = 1e-4;
    double beta1 = 0.9, beta2 = 0.99, weight_decay = 0.1, clip = 1.0;
    std::uint64_t seed = 1;
    std::size_t evaluation_interval = 500;
    std::string precision = "float";  ///< of matrix products in training: or bfloat16
};

struct train_options {
    std::filesystem::path text, out = "run";
    run_settings settings;
    std::set<std::string> given;  ///< the settings named on the command line: a resumed run must agree with them
    std::size_t stop_after = 0;   ///< end (and save) at this step, as if interrupted; 0: at the last
    bool resume = false;
};
int train(train_options const& options);

struct sample_options {
    std::filesystem::path out = "run";
    std::string prompt = "\n";
    std::size_t tokens = 500, top_k = 0;
    double temperature = 0.8;
    std::uint64_t seed = 1;
};
int sample(sample_options const& options);

struct eval_options {
    std::filesystem::path text, out = "run";
};
int eval(eval_options const& options);

}  // namespace gpt
