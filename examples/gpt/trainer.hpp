// SPDX-License-Identifier: MIT
// The training step behind a plain interface: one file compiles the program in float, one in mixed precision.
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
    virtual ~trainer() = default;

    /// One step of AdamW on a batch: forward, backward, clipping, update.
    virtual step_outcome step(parameters<model>& theta, tensor<std::int32_t, Batch, Time> const& inputs,
                              tensor<std::int32_t, Batch, Time> const& targets, tensor<float, Vocab> const& mask,
                              double rate) = 0;

    /// The optimiser's state, borrowed, for checkpoints.
    virtual std::vector<named_array> state() = 0;
};

/// A trainer whose products are of floats, and one whose products round their operands to bfloat16. Weights, gradients
/// and moments are floats in both.
std::unique_ptr<trainer> float_trainer(optimizer_settings const& settings);
std::unique_ptr<trainer> bfloat16_trainer(optimizer_settings const& settings);

}  // namespace gpt
