// SPDX-License-Identifier: MIT
#include "trainer.hpp"

#include <tenet/optim.hpp>

namespace gpt {

using training_step = program<model, next_token_loss, tokens<Batch, Time>, tokens<Batch, Time>, values<Vocab>>;
static_assert(training_step::activation_bytes < (std::size_t{64} << 20));

struct trainer::implementation {
    training_step train;
    adamw<training_step> optimiser;
    double clip;
};

trainer::trainer(optimizer_settings const& s)
    : implementation_(new implementation{
          {}, adamw<training_step>({.beta1 = s.beta1, .beta2 = s.beta2, .weight_decay = s.weight_decay}), s.clip}) {}

trainer::~trainer() = default;

step_outcome trainer::step(parameters<model>& theta, tensor<std::int32_t, Batch, Time> const& inputs,
                           tensor<std::int32_t, Batch, Time> const& targets, tensor<float, Vocab> const& mask,
                           double rate) {
    auto& [train, optimiser, clip] = *implementation_;
    const float loss = train.value_and_grad(theta, inputs, targets, mask);
    const double norm = gradient_norm(train);
    optimiser.step(theta, train, rate, clip_factor(norm, clip));
    return {loss, norm};
}

std::vector<named_array> trainer::state() {
    return implementation_->optimiser.arrays();
}

}  // namespace gpt
