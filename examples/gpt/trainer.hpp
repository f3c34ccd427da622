// SPDX-License-Identifier: MIT
// The training step behind a plain interface: only trainer.cpp compiles the program.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <tenet/tensor/named_array.hpp>

#include "model.hpp"

namespace gpt {

/// The numbers of the optimiser.
struct optimizer_settings {
    double beta1 = 0.9, beta2 = 0.99, weight_decay = 0.1, clip = 1.0;
};

/// The outcome of one step.
struct step_outcome {
    double loss, gradient_norm;
};

class trainer {
public:
    explicit trainer(optimizer_settings const& settings);
    ~trainer();

    /// One step of AdamW on a batch: forward, backward, clipping, update.
    step_outcome step(parameters<model>& theta, tensor<std::int32_t, Batch, Time> const& inputs,
                      tensor<std::int32_t, Batch, Time> const& targets, tensor<float, Vocab> const& mask, double rate);

    /// The optimiser's state, borrowed, for checkpoints.
    std::vector<named_array> state();

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

}  // namespace gpt
