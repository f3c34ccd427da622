// SPDX-License-Identifier: MIT
// text: base64 (RFC 4648), in which rank files keep the bytes of tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenet::detail {

inline constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// With padding.
inline std::string to_base64(std::string_view bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t three = 0;
        const std::size_t n = bytes.size() - i < 3 ? bytes.size() - i : 3;
        for (std::size_t k = 0; k < n; ++k)
            three |= std::uint32_t{static_cast<unsigned char>(bytes[i + k])} << (16 - 8 * k);
        for (std::size_t k = 0; k < 4; ++k) out += k <= n ? base64_digits[three >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

/// The bytes, or nothing if `text` is not base64 with padding.
inline std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 4) {
        std::uint32_t three = 0;
        std::size_t padding = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const char c = text[i + k];
            std::uint32_t digit = 0;
            if (c == '=' && k >= 2 && i + 4 == text.size()) ++padding;
            else if (padding != 0) return std::nullopt;
            else if (c >= 'A' && c <= 'Z') digit = static_cast<std::uint32_t>(c - 'A');
            else if (c >= 'a' && c <= 'z') digit = static_cast<std::uint32_t>(c - 'a' + 26);
            else if (c >= '0' && c <= '9') digit = static_cast<std::uint32_t>(c - '0' + 52);
            else if (c == '+') digit = 62;
            else if (c == '/') digit = 63;
            else return std::nullopt;
            three = three << 6 | digit;
        }
        // Bits that stand for no byte must be zero, so that a text has one reading and bytes one writing.
        if (padding != 0 && (three & (padding == 1 ? 0xffu : 0xffffu)) != 0) return std::nullopt;
        for (std::size_t k = 0; k + padding < 3; ++k) out += static_cast<char>(three >> (16 - 8 * k) & 0xff);
    }
    return out;
}

}  // namespace tenet::detail
