// SPDX-License-Identifier: MIT
// Text to ids and back: one text, or one a line as hexadecimal digits.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/io/mapped_file.hpp>
#include <tenet/text/encode_each.hpp>

#include "commands.hpp"
#include "tokenizer_files.hpp"

namespace bpe {
namespace {

using namespace tenet;
using id_list = std::vector<std::int32_t>;

special_policy policy_of(std::string const& name) {
    if (name == "all") return special_policy::recognise();
    if (name == "refuse") return special_policy::refuse();
    return special_policy::as_text();
}

void print(id_list const& ids) {
    std::string line;
    for (std::int32_t id : ids) {
        if (!line.empty()) line += ' ';
        line += std::to_string(id);
    }
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stdout);
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

[[noreturn]] void fail_line(std::size_t line, std::string const& expected, std::string const& found) {
    fail_expectation("standard input: line " + std::to_string(line), expected, "\"" + found.substr(0, 80) + "\"");
}

std::string from_hex(std::string const& digits, std::size_t line) {
    std::string bytes;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        const int high = hex_digit(digits[i]), low = i + 1 < digits.size() ? hex_digit(digits[i + 1]) : -1;
        if (high < 0 || low < 0) fail_line(line, "pairs of hexadecimal digits", digits.substr(i));
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

// Calls f(line, number) for the lines of standard input.
template <class F>
void for_each_line(F const& f) {
    std::string line;
    for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
        if (line.ends_with('\r')) line.pop_back();
        f(line, number);
    }
}

std::vector<id_list> encode_all(any_tokenizer const& any, std::vector<std::string_view> const& texts,
                                special_policy const& policy) {
    if (auto const* scores = std::get_if<score_tokenizer>(&any)) return encode_each(*scores, texts);
    return encode_each(std::get<byte_pair_tokenizer>(any), texts, policy);
}

}  // namespace

int encode(encode_options const& options) {
    const any_tokenizer any = open_tokenizer(options.tokenizer).tokenizer;
    const special_policy policy = policy_of(options.special);
    if (std::holds_alternative<score_tokenizer>(any) && options.special != "none") {
        fail_expectation("--special", "none, for a tokenizer of scores takes all text as text", options.special);
    }
    if (options.hex) {
        // Many lines at once keep all threads busy; not all at once, so that any stream can be encoded.
        constexpr std::size_t block_bytes = std::size_t{16} << 20;
        std::vector<std::string> texts;
        std::size_t bytes = 0;
        const auto flush = [&] {
            for (id_list const& ids : encode_all(any, {texts.begin(), texts.end()}, policy)) print(ids);
            texts.clear();
            bytes = 0;
        };
        for_each_line([&](std::string const& line, std::size_t number) {
            texts.push_back(from_hex(line, number));
            bytes += texts.back().size() + 64;
            if (bytes >= block_bytes) flush();
        });
        flush();
        return 0;
    }
    if (!options.text.empty()) {
        const mapped_file file(options.text);
        print(encode_all(any, {file.text()}, policy).front());
        return 0;
    }
    const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    print(encode_all(any, {text}, policy).front());
    return 0;
}

int decode(decode_options const& options) {
    const any_tokenizer any = open_tokenizer(options.tokenizer).tokenizer;
    for_each_line([&](std::string const& line, std::size_t number) {
        id_list ids;
        for (std::size_t at = line.find_first_not_of(" \t"); at < line.size();) {
            const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
            std::int32_t id = 0;
            const auto [stop, error] = std::from_chars(line.data() + at, line.data() + end, id);
            if (error != std::errc{} || stop != line.data() + end) {
                fail_line(number, "ids with spaces between", line.substr(at));
            }
            ids.push_back(id);
            at = line.find_first_not_of(" \t", end);
        }
        std::string bytes;
        try {
            bytes = std::visit([&](auto const& tokenizer) { return tokenizer.decode(ids); }, any);
        } catch (exception const& e) {
            throw exception("standard input: line " + std::to_string(number) + ": " + e.what());
        }
        if (!options.hex) {
            std::fwrite(bytes.data(), 1, bytes.size(), stdout);
            return;
        }
        std::string digits;
        for (char c : bytes) {
            constexpr char hex[] = "0123456789abcdef";
            const auto byte = static_cast<unsigned char>(c);
            digits += hex[byte >> 4];
            digits += hex[byte & 15];
        }
        std::printf("%s\n", digits.c_str());
    });
    return 0;
}

}  // namespace bpe
