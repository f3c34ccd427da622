// SPDX-License-Identifier: MIT
// The reward model: the fine-tuned model with a scalar head, read at the last token, trained on pairs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <tenet/align/metrics.hpp>
#include <tenet/tensor/named_array.hpp>

#include "pairs.hpp"

namespace alignment {

class rewarder {
public:
    /// The trunk begins as `first`, the head as draws.
    rewarder(parameters<gpt> const& first, std::uint64_t seed);
    ~rewarder();

    struct outcome {
        double loss, accuracy;
    };
    /// A step of AdamW on the mean of -ln sigmoid(chosen - rejected), and centring.
    outcome step(std::span<encoded_pair const> pairs, double rate);
    /// The rewards of rows, read at their last tokens.
    std::vector<double> rewards(std::vector<completion_row> const& rows);
    preference_metrics metrics(std::span<encoded_pair const> pairs);
    /// Moves and scales the head so that the rewards of `rows` have the mean 0 and the standard deviation 1.
    void normalise(std::vector<completion_row> const& rows);
    std::vector<named_array> state();

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

}  // namespace alignment
