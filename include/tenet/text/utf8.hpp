// SPDX-License-Identifier: MIT
// text: which bytes are UTF-8. Tokenizers keep every byte; where text must be valid, each broken stretch becomes
// U+FFFD as the Unicode standard recommends.
// Source: The Unicode Standard 15, section 3.9, table 3-7 and "U+FFFD Substitution of Maximal Subparts".
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tenet {

namespace detail {

struct utf8_unit {
    std::size_t length;  // of the character, or of the stretch of bytes that begins like one; at least 1
    bool valid;
};

// The character at `at`, or the longest beginning of one (a maximal subpart).
inline utf8_unit utf8_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) -> unsigned { return static_cast<unsigned char>(text[at + i]); };
    const unsigned first = byte(0);
    if (first < 0x80) return {1, true};
    if (first < 0xc2 || first > 0xf4) return {1, false};
    const std::size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    // The second byte excludes overlong forms, surrogates and what is above U+10FFFF.
    const unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    const std::size_t left = text.size() - at;
    if (left < 2 || byte(1) < low || byte(1) > high) return {1, false};
    for (std::size_t i = 2; i < length; ++i) {
        if (left <= i || (byte(i) & 0xc0) != 0x80) return {i, false};
    }
    return {length, true};
}

// How many of the bytes from `at` on are ASCII, counted eight at a time.
inline std::size_t ascii_run(std::string_view text, std::size_t at) {
    const std::size_t begin = at;
    for (; text.size() - at >= 8; at += 8) {
        std::uint64_t eight;
        std::memcpy(&eight, text.data() + at, 8);
        if ((eight & 0x8080808080808080u) != 0) break;
    }
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
    return at - begin;
}

// Calls valid(text) and broken(text) for the stretches of `text`, in order; a broken one is one maximal subpart.
template <class Valid, class Broken>
void for_each_utf8_stretch(std::string_view text, Valid const& valid, Broken const& broken) {
    std::size_t begin = 0, at = 0;
    while (at < text.size()) {
        at += ascii_run(text, at);
        if (at == text.size()) break;
        const utf8_unit unit = utf8_at(text, at);
        if (!unit.valid) {
            if (at != begin) valid(text.substr(begin, at - begin));
            broken(text.substr(at, unit.length));
            begin = at + unit.length;
        }
        at += unit.length;
    }
    if (at != begin) valid(text.substr(begin));
}

}  // namespace detail

/// Whether `text` is UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. Cost: linear.
inline bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        at += detail::ascii_run(text, at);
        if (at == text.size()) break;
        const detail::utf8_unit unit = detail::utf8_at(text, at);
        if (!unit.valid) return false;
        at += unit.length;
    }
    return true;
}

/// `text` with U+FFFD in place of each maximal subpart that is not UTF-8, for printing what a model wrote: the last
/// token may end within a character. Cost: linear. Python: bytes.decode("utf-8", errors="replace").
inline std::string to_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    detail::for_each_utf8_stretch(
        text, [&](std::string_view valid) { out += valid; }, [&](std::string_view) { out += "\xef\xbf\xbd"; });
    return out;
}

}  // namespace tenet
