// SPDX-License-Identifier: MIT
// text: one token a character (byte) of a small alphabet, as nanoGPT's shakespeare-char: ids are places in the
// sorted set of the bytes that occur.
// Source: github.com/karpathy/nanoGPT, data/shakespeare_char/prepare.py.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/base/exception.hpp>

namespace tenet {

/// The tokenizer whose ids number the bytes of an alphabet.
///
/// Text in UTF-8 works too, one token a byte. `to_string` is printable ASCII whatever the alphabet, so that it may
/// be kept in a safetensors file's metadata.
class char_tokenizer {
public:
    /// The alphabet is the sorted set of the bytes of `text`. Throws if `text` is empty.
    static char_tokenizer from_text(std::string_view text) {
        std::array<bool, 256> occurs{};
        for (char c : text) occurs[static_cast<unsigned char>(c)] = true;
        std::string alphabet;
        for (std::size_t byte = 0; byte < 256; ++byte) {
            if (occurs[byte]) alphabet.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
        }
        return char_tokenizer(alphabet);
    }

    /// The alphabet, in the order of its ids. Throws if it is empty or has a byte twice.
    explicit char_tokenizer(std::string_view alphabet) : alphabet_(alphabet) {
        if (alphabet.empty()) fail_expectation("char_tokenizer", "at least one character", "an empty text");
        ids_.fill(-1);
        for (std::size_t i = 0; i < alphabet.size(); ++i) {
            auto& id = ids_[static_cast<unsigned char>(alphabet[i])];
            if (id >= 0)
                fail_expectation("char_tokenizer", "each character once", escape(alphabet.substr(i, 1)) + " twice");
            id = static_cast<std::int16_t>(i);
        }
    }

    std::size_t vocabulary_size() const { return alphabet_.size(); }

    /// The bytes in the order of their ids.
    std::string const& alphabet() const { return alphabet_; }

    /// Whether every byte of `text` has an id.
    bool knows(std::string_view text) const {
        for (char c : text) {
            if (ids_[static_cast<unsigned char>(c)] < 0) return false;
        }
        return true;
    }

    /// One id a byte. Throws `exception` for a byte outside the alphabet, with its offset. Cost: linear.
    std::vector<std::int32_t> encode(std::string_view text) const {
        std::vector<std::int32_t> ids;
        ids.reserve(text.size());
        for (std::size_t i = 0; i < text.size(); ++i) {
            const std::int32_t id = ids_[static_cast<unsigned char>(text[i])];
            if (id < 0) {
                fail_expectation("char_tokenizer::encode: offset " + std::to_string(i),
                                 "one of the alphabet's " + std::to_string(alphabet_.size()) + " bytes",
                                 "'" + escape(text.substr(i, 1)) + "'");
            }
            ids.push_back(id);
        }
        return ids;
    }

    /// One byte an id. Throws `exception` for an id outside the vocabulary, with its position.
    std::string decode(std::span<std::int32_t const> ids) const {
        std::string text;
        text.reserve(ids.size());
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (ids[i] < 0 || static_cast<std::size_t>(ids[i]) >= alphabet_.size()) {
                fail_expectation("char_tokenizer::decode: position " + std::to_string(i),
                                 "an id in [0, " + std::to_string(alphabet_.size()) + ")", std::to_string(ids[i]));
            }
            text.push_back(alphabet_[static_cast<std::size_t>(ids[i])]);
        }
        return text;
    }

    /// The text kept in a checkpoint: "char_tokenizer " and the alphabet, other bytes than printable ASCII as \xHH.
    std::string to_string() const { return std::string(prefix) + escape(alphabet_); }

    /// The inverse of `to_string`. Throws `exception` for anything else.
    static char_tokenizer from_string(std::string_view saved) {
        if (!saved.starts_with(prefix)) {
            fail_expectation("char_tokenizer::from_string", "text that begins with \"char_tokenizer \"",
                             "\"" + escape(saved.substr(0, 40)) + "\"");
        }
        saved.remove_prefix(prefix.size());
        std::string alphabet;
        for (std::size_t i = 0; i < saved.size(); ++i) {
            if (saved[i] != '\\') {
                alphabet.push_back(saved[i]);
                continue;
            }
            const int high = i + 3 < saved.size() && saved[i + 1] == 'x' ? digit(saved[i + 2]) : -1;
            const int low = high >= 0 ? digit(saved[i + 3]) : -1;
            if (low < 0) {
                fail_expectation("char_tokenizer::from_string", "an escape like \\x0a",
                                 "\"" + escape(saved.substr(i, 4)) + "\"");
            }
            alphabet.push_back(static_cast<char>(static_cast<unsigned char>(high * 16 + low)));
            i += 3;
        }
        return char_tokenizer(alphabet);
    }

    friend bool operator==(char_tokenizer const& a, char_tokenizer const& b) { return a.alphabet_ == b.alphabet_; }

private:
    static constexpr std::string_view prefix = "char_tokenizer ";

    static int digit(char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        return -1;
    }

    static std::string escape(std::string_view text) {
        std::string out;
        for (char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte >= 0x20 && byte < 0x7f && c != '\\') {
                out.push_back(c);
            } else {
                char code[5];
                std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned>(byte));
                out += code;
            }
        }
        return out;
    }

    std::string alphabet_;
    std::array<std::int16_t, 256> ids_{};
};

}  // namespace tenet
