// SPDX-License-Identifier: MIT
// The training step, for a file that compiles it in one precision.
#pragma once

#include <tenet/optim.hpp>

#include "trainer.hpp"

namespace gpt {

template <class Precision>
class compiled_trainer : public trainer {
    using training_step =
        program_of<Precision, model, next_token_loss, tokens<Batch, Time>, tokens<Batch, Time>, values<Vocab>>;
    static_assert(training_step::activation_bytes < (std::size_t{64} << 20));

public:
    explicit compiled_trainer(optimizer_settings const& s)
        : optimiser_({.beta1 = s.beta1, .beta2 = s.beta2, .weight_decay = s.weight_decay}), clip_(s.clip) {}

    step_outcome step(parameters<model>& theta, tensor<std::int32_t, Batch, Time> const& inputs,
                      tensor<std::int32_t, Batch, Time> const& targets, tensor<float, Vocab> const& mask,
                      double rate) override {
        const float loss = train_.value_and_grad(theta, inputs, targets, mask);
        const double norm = gradient_norm(train_);
        optimiser_.step(theta, train_, rate, clip_factor(norm, clip_));
        return {loss, norm};
    }

    std::vector<named_array> state() override { return optimiser_.arrays(); }

private:
    training_step train_;
    adamw<training_step> optimiser_;
    double clip_;
};

}  // namespace gpt
