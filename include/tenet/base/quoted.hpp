// SPDX-License-Identifier: MIT
// base: how text from files and callers is quoted in messages: it may hold anything and be of any length.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace tenet::detail {

/// `text` in quotation marks, fit for a message: control bytes are escaped and long text is cut, because names
/// that come from a hostile file may hold anything.
inline std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 120;
    std::string out = "\"";
    for (char c : text.substr(0, longest)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            char escape[5];
            std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(byte));
            out += escape;
        } else {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
    }
    return out + (text.size() > longest ? "...\"" : "\"");
}

}  // namespace tenet::detail
