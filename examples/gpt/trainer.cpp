// SPDX-License-Identifier: MIT
#include "compiled_trainer.hpp"

namespace gpt {

std::unique_ptr<trainer> float_trainer(optimizer_settings const& settings) {
    return std::make_unique<compiled_trainer<float>>(settings);
}

}  // namespace gpt
