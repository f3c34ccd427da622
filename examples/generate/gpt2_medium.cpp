// SPDX-License-Identifier: MIT
#include "compiled_model.hpp"
#include "sizes.hpp"

namespace generate {

std::unique_ptr<language_model> make_gpt2_medium() {
    return std::make_unique<compiled_model<gpt2<tenet::gpt2_medium>, 1>>();
}

}  // namespace generate
