// SPDX-License-Identifier: MIT
// What a run comes to: each model's numbers on held-out prompts and pairs, and what it writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace alignment {

struct model_result {
    std::string name;
    double reward = 0;               ///< mean of the reward model's scores: 0 and a deviation of 1 for the tuned model
    std::optional<double> rule;      ///< mean of the rule's
    double kl = 0;                   ///< mean of ln p - ln p_tuned of its own completions, nats each
    std::optional<double> accuracy;  ///< of held-out pairs: how often ln p - ln p_tuned is greater for the chosen one
    double length = 0;               ///< mean tokens
    double finished = 0;             ///< share that ended by itself
    double different = 0;            ///< share of a completion's words that it says for the first time
    std::vector<std::string> samples{};
};

struct run_result {
    std::uint64_t seed = 0;
    std::size_t train_pairs = 0, test_pairs = 0;
    double reward_accuracy = 0, length_accuracy = 0;  ///< on held-out pairs
    std::vector<std::string> prompts;                 ///< of the samples
    std::vector<model_result> models;
};

nlohmann::ordered_json to_json(run_result const& r);

/// Cells of the comparison; of several runs the mean and, after "+-", the standard deviation.
std::vector<std::vector<std::string>> comparison(std::vector<run_result> const& runs);
/// The reward model beside chance and length.
std::string judged(std::vector<run_result> const& runs);
/// As a Markdown table.
std::string markdown(std::vector<std::vector<std::string>> const& cells);

}  // namespace alignment
