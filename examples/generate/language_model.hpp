// SPDX-License-Identifier: MIT
// A pretrained model behind a plain interface: each size is a compiled program in a file of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tenet/generate/options.hpp>

namespace generate {

/// How a perplexity is measured; 0: the model's context, and half of it.
struct window_options {
    std::size_t window = 0, stride = 0;
};

class language_model {
public:
    virtual ~language_model() = default;
    virtual std::size_t context() const = 0;
    virtual std::size_t vocabulary() const = 0;

    /// Reads the weights.
    virtual void load(std::filesystem::path const& weights) = 0;

    virtual std::vector<tenet::generated> write(std::vector<std::vector<std::int32_t>> const& prompts,
                                                tenet::generation_options const& options,
                                                tenet::token_callback const& callback) = 0;
    virtual tenet::text_loss measure(std::span<std::int32_t const> text, window_options const& options) = 0;
};

/// What a file of weights says of its model.
struct model_sizes {
    std::string family;  ///< "gpt2" or "llama"
    std::size_t layers = 0, width = 0, hidden = 0, keys = 0, context = 0, vocabulary = 0;

    std::string text() const;
};
model_sizes sizes_of(std::filesystem::path const& weights);

/// Reads the weights into the model that the file is of. `family` is what the user expects, or empty.
std::unique_ptr<language_model> open_model(std::filesystem::path const& weights, std::string const& family);

}  // namespace generate
