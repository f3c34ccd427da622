// SPDX-License-Identifier: MIT
// The training step of examples/gpt with GPT_LAYERS layers: one layer or 48 should compile in the same time.
#include <gpt/model.hpp>

#ifndef GPT_LAYERS
#define GPT_LAYERS 12
#endif

using step = tenet::program<gpt::model_of_depth<GPT_LAYERS>, gpt::next_token_loss, tenet::tokens<gpt::Batch, gpt::Time>,
                            tenet::tokens<gpt::Batch, gpt::Time>, tenet::values<gpt::Vocab>>;

float run(step& train, tenet::parameters<gpt::model_of_depth<GPT_LAYERS>> const& theta,
          tenet::tensor<std::int32_t, gpt::Batch, gpt::Time> const& x, tenet::tensor<float, gpt::Vocab> const& mask) {
    return train.value_and_grad(theta, x, x, mask);
}
