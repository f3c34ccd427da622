// SPDX-License-Identifier: MIT
#include "cpp_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tensor_files {
namespace {

bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
bool is_letter(char c) {
    return is_upper(c) || (c >= 'a' && c <= 'z');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

constexpr std::string_view words[] = {
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char",
    "char16_t", "char32_t", "char8_t", "class", "co_await", "co_return", "co_yield", "compl", "concept", "const",
    "const_cast", "consteval", "constexpr", "constinit", "continue", "decltype", "default", "delete", "do", "double",
    "dynamic_cast", "else", "enum", "explicit", "export", "extern", "false", "final", "float", "for", "friend", "goto",
    "if", "import", "inline", "int", "long", "module", "mutable", "namespace", "new", "noexcept", "not", "not_eq",
    "nullptr", "operator", "or", "or_eq", "override", "private", "protected", "public", "register", "reinterpret_cast",
    "requires", "return", "short", "signed", "sizeof", "static", "static_assert", "static_cast", "struct", "switch",
    "template", "this", "thread_local", "throw", "true", "try", "typedef", "typeid", "typename", "union", "unsigned",
    "using", "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
    // macros of common implementations
    "assert", "errno", "linux", "major", "minor", "signals", "slots", "stderr", "stdin", "stdout", "unix",
    // what the declarations themselves say without a scope
    "axes", "axis", "nn", "no_bias", "parameter", "parameter_count", "stack", "std", "tenet", "with_bias"};

}  // namespace

std::vector<std::string> split_name(std::string_view name) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0;;) {
        const std::size_t end = name.find('.', begin);
        parts.emplace_back(name.substr(begin, end - begin));
        if (end == std::string_view::npos) return parts;
        begin = end + 1;
    }
}

bool is_identifier(std::string_view text) {
    if (text.empty() || !(is_letter(text[0]) || text[0] == '_')) return false;
    if (!std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_'; }))
        return false;
    if (text.find("__") != std::string_view::npos) return false;
    if (text[0] == '_' && (text.size() == 1 || is_upper(text[1]))) return false;
    // Names in capitals are macros' (NULL, EOF, INFINITY, NAN).
    if (text.size() > 1 && std::none_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; }))
        return false;
    return std::find(std::begin(words), std::end(words), text) == std::end(words);
}

std::string identifier_of(std::string_view text) {
    std::string name;
    for (char c : text) {
        if (is_letter(c) || is_digit(c)) name += c;
        else if (!name.empty() && name.back() != '_') name += '_';
    }
    while (!name.empty() && name.back() == '_') name.pop_back();
    if (name.empty() || is_digit(name[0])) name.insert(0, "p");
    return name;
}

std::string pascal_case(std::string_view text) {
    std::string name;
    bool begins = true;
    for (char c : text) {
        if (!is_letter(c) && !is_digit(c)) {
            begins = true;
            continue;
        }
        name += begins && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        begins = false;
    }
    // A name in capitals alone would be no identifier here.
    const bool small = std::any_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (name.empty() || is_digit(name[0]) || (name.size() > 1 && !small)) name.insert(0, "Axis");
    return name;
}

std::string string_literal(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\' || c == '?') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte >= 0x7f) {
            std::array<char, 5> escape{};  // three octal digits end by themselves
            std::snprintf(escape.data(), escape.size(), "\\%03o", static_cast<unsigned>(byte));
            out += escape.data();
        } else {
            out += c;
        }
    }
    return out + '"';
}

}  // namespace tensor_files
