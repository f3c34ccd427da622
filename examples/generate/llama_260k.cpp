// SPDX-License-Identifier: MIT
#include "compiled_model.hpp"
#include "sizes.hpp"

namespace generate {

std::unique_ptr<language_model> make_llama_260k() {
    return std::make_unique<compiled_model<llama<llama_stories_260k>, 4>>();
}

}  // namespace generate
