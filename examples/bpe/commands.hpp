// SPDX-License-Identifier: MIT
// The four things that the program does. Each returns the exit code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bpe {

/// Which tokenizer to use, and what its files do not say.
struct tokenizer_options {
    std::filesystem::path ranks;
    std::filesystem::path merges;             ///< for a vocab.json; default: merges.txt beside it
    std::string pattern;                      ///< default: the file's own
    std::vector<std::string> special_tokens;  ///< TEXT=ID
};

struct train_options {
    std::vector<std::filesystem::path> texts;
    std::size_t vocabulary = 4096;
    std::string pattern = "cl100k";
    std::vector<std::string> special_tokens;
    std::filesystem::path out;
};
int train(train_options const& options);

struct encode_options {
    tokenizer_options tokenizer;
    std::filesystem::path text;  ///< default: standard input
    std::string special = "none";
    bool hex = false;
};
int encode(encode_options const& options);

struct decode_options {
    tokenizer_options tokenizer;
    bool hex = false;
};
int decode(decode_options const& options);

struct inspect_options {
    tokenizer_options tokenizer;
    std::filesystem::path text;
    std::vector<std::int32_t> ids;
};
int inspect(inspect_options const& options);

}  // namespace bpe
