// SPDX-License-Identifier: MIT
#include "compiled_trainer.hpp"

namespace gpt {

std::unique_ptr<trainer> bfloat16_trainer(optimizer_settings const& settings) {
    return std::make_unique<compiled_trainer<mixed_precision<float, bfloat16>>>(settings);
}

}  // namespace gpt
