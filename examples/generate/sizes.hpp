// SPDX-License-Identifier: MIT
// The models that this program holds; sizes are constants, so that each is a program of its own.
#pragma once

#include <memory>

#include <tenet/models/gpt2.hpp>
#include <tenet/models/llama.hpp>

#include "language_model.hpp"

namespace generate {

/// A Llama of 4 layers and 4 heads with a context of 128, as small devices run it.
struct dreams_260k : tenet::llama_stories_260k {
    static constexpr std::size_t layers = 4, heads = 4, key_heads = 4, context = 128;
};

std::unique_ptr<language_model> make_gpt2_small();
std::unique_ptr<language_model> make_gpt2_medium();
std::unique_ptr<language_model> make_gpt2_large();
std::unique_ptr<language_model> make_gpt2_xl();
std::unique_ptr<language_model> make_llama_260k();
std::unique_ptr<language_model> make_llama_dreams();
std::unique_ptr<language_model> make_llama_15m();
std::unique_ptr<language_model> make_llama_42m();
std::unique_ptr<language_model> make_llama_110m();

}  // namespace generate
