// SPDX-License-Identifier: MIT
// Text to tokens and back, or tokens as numbers where there is no tokenizer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../bpe/tokenizer_files.hpp"
#include "commands.hpp"

namespace generate {

using ids = std::vector<std::int32_t>;

/// "1 2 3" as numbers; `name` is what errors call it.
ids ids_of(std::string const& text, std::string const& name);
std::string text_of(std::span<std::int32_t const> tokens);

class any_tokenizer {
public:
    /// None if the options name none.
    explicit any_tokenizer(model_options const& options, std::size_t vocabulary);
    bool exists() const { return tokenizer_.has_value(); }

    /// The tokens of a text to continue: begun as the model's training texts are.
    ids encode(std::string_view text) const;
    std::string decode(std::span<std::int32_t const> tokens) const;
    /// The tokens that end a text by convention.
    std::vector<ids> ends() const;

private:
    std::optional<bpe::any_tokenizer> tokenizer_;
};

}  // namespace generate
