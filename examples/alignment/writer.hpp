// SPDX-License-Identifier: MIT
// Completions of a model in memory, with its key-value cache; and how probable it finds completions.
#pragma once

#include <memory>
#include <vector>

#include <tenet/align/rollout.hpp>

#include "data_set.hpp"
#include "model.hpp"

namespace alignment {

/// Writes with weights that are borrowed, and may change from call to call.
class writer {
public:
    explicit writer(parameters<gpt> const& theta);
    ~writer();
    /// `each` completions of each prompt, which stand together, sampled from the whole distribution.
    std::vector<rollout> operator()(std::vector<ids> const& prompts, std::size_t each, std::uint64_t seed);

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

/// ln p(completion | prompt) of rows.
class reader {
public:
    reader();
    ~reader();
    std::vector<double> log_probabilities(parameters<gpt> const& theta, std::vector<completion_row> const& rows);

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

}  // namespace alignment
