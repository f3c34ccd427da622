// SPDX-License-Identifier: MIT
#include "tuner_of.hpp"

namespace adaptation {

std::unique_ptr<tuner> lora_4(parameters<model> const& base, std::uint64_t seed) {
    return std::make_unique<adapter_tuner<model, 4>>(base, seed);
}

}  // namespace adaptation
