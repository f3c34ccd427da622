// SPDX-License-Identifier: MIT
// Tokenizers from and to files of any format.
#pragma once

#include <filesystem>
#include <string>
#include <variant>

#include <tenet/text/byte_pair_tokenizer.hpp>
#include <tenet/text/score_tokenizer.hpp>

#include "commands.hpp"

namespace bpe {

using any_tokenizer = std::variant<tenet::byte_pair_tokenizer, tenet::score_tokenizer>;

struct opened_tokenizer {
    any_tokenizer tokenizer;
    std::string format;
};

/// Reads `options.ranks`, whatever its format. Errors begin with the file's name.
opened_tokenizer open_tokenizer(tokenizer_options const& options);

/// Writes a tokenizer in the format that the name asks for: .model, .tiktoken, .json, or a folder (one that exists,
/// or a name that ends with a slash) for vocab.json and merges.txt.
void save_tokenizer(tenet::byte_pair_tokenizer const& tokenizer, std::filesystem::path const& out);

/// Throws unless `save_tokenizer` knows what to write to this name, and makes the folder: before hours of training, not
/// after.
void check_output(std::filesystem::path const& out);

/// The pattern that a name stands for: none, gpt2, cl100k, gpt4-minbpe, or a regular expression.
std::string pattern_of(std::string const& name);

}  // namespace bpe
