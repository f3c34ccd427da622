// SPDX-License-Identifier: MIT
// text: what a byte-pair encoding is made of, and what all file formats are read to and written from: tokens by id,
// merge rules, special tokens, a split pattern.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>
#include <tenet/text/merge_table.hpp>
#include <tenet/text/special_tokens.hpp>

namespace tenet {

/// A byte-pair encoding as plain data; `byte_pair_tokenizer` is made of it.
struct byte_pair_vocabulary {
    std::vector<std::string> tokens;      ///< the bytes of id i; empty where i is a special token or no id
    std::vector<byte_pair_merge> merges;  ///< in the order of their ranks
    std::vector<special_token> special;
    std::string pattern;        ///< for `text_splitter`
    bool whole_pieces = false;  ///< a piece that is a token is that token, whatever the merges would give (tiktoken)

    friend bool operator==(byte_pair_vocabulary const&, byte_pair_vocabulary const&) = default;
};

namespace detail {

// Bounds on what a file may claim, far above real tokenizers (GPT-4's longest token has 128 bytes).
inline constexpr std::size_t longest_token = 65536;
inline constexpr std::size_t most_token_bytes = std::size_t{1} << 24;

// Ids may have gaps, as GPT-4's have, but no file's claim of a huge id may make us allocate.
inline bool plausible_id(std::uint64_t id, std::size_t count) {
    return id < 2 * std::uint64_t{count} + 65536;
}

inline std::string hex_byte(std::size_t byte) {
    constexpr char digits[] = "0123456789abcdef";
    return {'0', 'x', digits[byte >> 4 & 15], digits[byte & 15]};
}

/// Throws `exception` unless `v` is a byte-pair encoding. `where` begins the message.
inline void check(byte_pair_vocabulary const& v, std::string const& where) {
    std::array<bool, 256> bytes{};
    std::size_t total = 0;
    for (std::string const& token : v.tokens) {
        if (token.size() > longest_token) {
            fail_expectation(where, "tokens of at most " + std::to_string(longest_token) + " bytes",
                             std::to_string(token.size()));
        }
        total += token.size();
        if (token.size() == 1) bytes[static_cast<unsigned char>(token[0])] = true;
    }
    if (total > most_token_bytes || v.tokens.size() > most_token_bytes) {
        fail_expectation(where, "tokens of at most 16 MiB together", std::to_string(total) + " bytes");
    }
    for (std::size_t byte = 0; byte < 256; ++byte) {
        if (!bytes[byte]) fail_expectation(where, "a token for each of the 256 bytes", "none for " + hex_byte(byte));
    }
    const auto token = [&](std::int32_t id) -> std::string_view {
        const bool known = id >= 0 && static_cast<std::size_t>(id) < v.tokens.size();
        if (!known || v.tokens[static_cast<std::size_t>(id)].empty())
            fail_expectation(where, "merges of tokens", "the id " + std::to_string(id));
        return v.tokens[static_cast<std::size_t>(id)];
    };
    for (byte_pair_merge const& m : v.merges) {
        std::string_view const left = token(m.left), right = token(m.right), result = token(m.result);
        if (m.rank == no_merge || result.size() != left.size() + right.size() || !result.starts_with(left) ||
            !result.ends_with(right)) {
            fail_expectation(where, "merges whose result is both parts",
                             detail::quoted(result) + " of " + detail::quoted(left) + " and " + detail::quoted(right));
        }
    }
    std::set<std::string_view> texts;
    std::set<std::int32_t> ids;
    for (special_token const& s : v.special) {
        if (s.text.empty() || s.text.size() > longest_token || !texts.insert(s.text).second)
            fail_expectation(where, "special tokens of different texts, not empty", detail::quoted(s.text));
        const bool plausible =
            s.id >= 0 && plausible_id(static_cast<std::uint64_t>(s.id), v.tokens.size() + v.special.size());
        const bool taken = plausible && static_cast<std::size_t>(s.id) < v.tokens.size() &&
                           !v.tokens[static_cast<std::size_t>(s.id)].empty();
        if (!plausible || taken || !ids.insert(s.id).second) {
            fail_expectation(where, "an unused id for the special token " + detail::quoted(s.text),
                             std::to_string(s.id));
        }
    }
}

}  // namespace detail

}  // namespace tenet
