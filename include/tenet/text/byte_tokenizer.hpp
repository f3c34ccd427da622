// SPDX-License-Identifier: MIT
// text: one token a byte: every text is legal, the vocabulary is 256.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/base/exception.hpp>

namespace tenet {

/// The tokenizer whose ids are the bytes 0 .. 255.
class byte_tokenizer {
public:
    static constexpr std::size_t vocabulary_size() { return 256; }

    /// One id a byte. Cost: linear.
    std::vector<std::int32_t> encode(std::string_view text) const {
        std::vector<std::int32_t> ids;
        ids.reserve(text.size());
        for (char c : text) ids.push_back(static_cast<unsigned char>(c));
        return ids;
    }

    /// One byte an id. Throws `exception` for an id outside 0 .. 255, with its position.
    std::string decode(std::span<std::int32_t const> ids) const {
        std::string text;
        text.reserve(ids.size());
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (ids[i] < 0 || ids[i] > 255) {
                fail_expectation("byte_tokenizer::decode: position " + std::to_string(i), "an id in [0, 256)",
                                 std::to_string(ids[i]));
            }
            text.push_back(static_cast<char>(static_cast<unsigned char>(ids[i])));
        }
        return text;
    }

    /// The text kept in a checkpoint.
    std::string to_string() const { return "byte_tokenizer"; }

    friend bool operator==(byte_tokenizer const&, byte_tokenizer const&) = default;
};

}  // namespace tenet
