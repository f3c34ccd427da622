// SPDX-License-Identifier: MIT
#include "compiled_model.hpp"
#include "sizes.hpp"

namespace generate {

std::unique_ptr<language_model> make_llama_15m() {
    return std::make_unique<compiled_model<llama<llama_stories_15m>, 4>>();
}

}  // namespace generate
