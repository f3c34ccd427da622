// SPDX-License-Identifier: MIT
#include "tuner_of.hpp"

namespace adaptation {

std::unique_ptr<tuner> qlora_nf4(parameters<model> const& base, std::uint64_t seed) {
    return std::make_unique<adapter_tuner<quantized<model, storage::nf4>, 16>>(base, seed);
}

}  // namespace adaptation
