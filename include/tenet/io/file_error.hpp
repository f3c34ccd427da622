// SPDX-License-Identifier: MIT
// io: how failures of the operating system are reported, and how text from files is quoted in messages.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <tenet/base/exception.hpp>

namespace tenet::detail {

/// Throws "cannot <action> <path>: <text of errno> (errno <n>)".
[[noreturn]] inline void fail_file(std::string const& action, std::filesystem::path const& path, int error) {
    throw exception("cannot " + action + " " + path.string() + ": " + std::generic_category().message(error) +
                    " (errno " + std::to_string(error) + ")");
}

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
