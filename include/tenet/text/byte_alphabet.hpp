// SPDX-License-Identifier: MIT
// text: GPT-2's printable letters for bytes, in which JSON files spell tokens: printable Latin-1 stands for itself, the
// other 68 bytes are U+0100 and following (a space is U+0120).
// Source: openai/gpt-2, src/encoder.py, `bytes_to_unicode`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenet::detail {

/// The code points of the 256 bytes; all below U+0800.
constexpr std::array<std::uint16_t, 256> make_byte_alphabet() {
    std::array<std::uint16_t, 256> letters{};
    std::uint16_t next = 256;
    for (std::uint16_t byte = 0; byte < 256; ++byte) {
        const bool itself = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
        letters[byte] = itself ? byte : next++;
    }
    return letters;
}
inline constexpr std::array<std::uint16_t, 256> byte_alphabet = make_byte_alphabet();
inline constexpr std::size_t byte_alphabet_end = 324;

/// The spelling of `bytes`, in UTF-8.
inline std::string to_byte_alphabet(std::string_view bytes) {
    std::string out;
    for (char c : bytes) {
        const unsigned letter = byte_alphabet[static_cast<unsigned char>(c)];
        if (letter < 0x80) {
            out += static_cast<char>(letter);
        } else {
            out += static_cast<char>(0xc0 | letter >> 6);
            out += static_cast<char>(0x80 | (letter & 0x3f));
        }
    }
    return out;
}

/// The bytes that `letters` spells, or nothing if there is another letter in it.
inline std::optional<std::string> from_byte_alphabet(std::string_view letters) {
    static constexpr auto byte_of = [] {
        std::array<std::int16_t, byte_alphabet_end> bytes{};
        bytes.fill(-1);
        for (std::int16_t byte = 0; byte < 256; ++byte) bytes[byte_alphabet[static_cast<std::size_t>(byte)]] = byte;
        return bytes;
    }();
    std::string out;
    for (std::size_t i = 0; i < letters.size(); ++i) {
        unsigned letter = static_cast<unsigned char>(letters[i]);
        if (letter >= 0x80) {
            if (letter < 0xc2 || letter > 0xdf || i + 1 == letters.size()) return std::nullopt;
            const unsigned low = static_cast<unsigned char>(letters[++i]);
            if ((low & 0xc0) != 0x80) return std::nullopt;
            letter = (letter & 0x1f) << 6 | (low & 0x3f);
        }
        if (letter >= byte_alphabet_end || byte_of[letter] < 0) return std::nullopt;
        out += static_cast<char>(byte_of[letter]);
    }
    return out;
}

}  // namespace tenet::detail
