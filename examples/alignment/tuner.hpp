// SPDX-License-Identifier: MIT
// Pretraining and supervised fine-tuning, which are one program: a window of running text is a completion of its first
// token. Behind a plain interface, as all programs here: only tuner.cpp compiles it.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <tenet/tensor/named_array.hpp>

#include "model.hpp"

namespace alignment {

class tuner {
public:
    explicit tuner(parameters<gpt> const& first);
    ~tuner();

    /// A step of AdamW on the mean of -ln p over the completions' tokens; returns it.
    double step(row_batch const& batch, double rate);
    /// The mean over the tokens of all batches.
    double loss(std::span<row_batch const> batches);
    parameters<gpt> const& weights() const;
    /// All that changes, borrowed.
    std::vector<named_array> state();

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

/// `rows` in batches of at most `each`.
std::vector<row_batch> in_batches(std::vector<completion_row> const& rows, std::size_t each);

}  // namespace alignment
