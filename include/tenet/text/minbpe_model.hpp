// SPDX-License-Identifier: MIT
// text: minbpe's .model files: the pattern, special tokens and merges as pairs of ids, which count up from 256.
// Source: karpathy/minbpe, minbpe/base.py, `save` and `load`.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>
#include <tenet/text/byte_pair_tokenizer.hpp>
#include <tenet/text/byte_pair_vocabulary.hpp>

namespace tenet {

namespace detail {

class minbpe_reader {
public:
    explicit minbpe_reader(std::string_view text) : left_(text) {}

    byte_pair_vocabulary read() {
        byte_pair_vocabulary v;
        if (next() != "minbpe v1") fail("\"minbpe v1\"");
        v.pattern = next();
        const auto special = number(next());
        for (std::int32_t i = 0; i < special; ++i) {
            if (left_.empty()) fail(std::to_string(special) + " special tokens");
            std::string_view const text = next();
            const std::size_t space = text.rfind(' ');
            if (space == text.npos || space == 0) fail("\"<text> <id>\" of a special token");
            v.special.push_back({std::string(text.substr(0, space)), number(text.substr(space + 1))});
        }
        for (std::size_t byte = 0; byte < 256; ++byte) {
            v.tokens.emplace_back(1, static_cast<char>(static_cast<unsigned char>(byte)));
        }
        while (!left_.empty()) {
            std::string_view const text = next();
            if (text.empty() && left_.empty()) break;
            const std::size_t space = std::min(text.find(' '), text.size());
            const auto id = [&](std::string_view word) {
                const std::int32_t value = number(word);
                if (static_cast<std::size_t>(value) >= v.tokens.size()) fail("two ids of tokens before this one");
                return static_cast<std::size_t>(value);
            };
            const std::size_t left = id(text.substr(0, space)),
                              right = id(text.substr(std::min(space + 1, text.size())));
            // Each line may double the longest token.
            bytes_ += v.tokens[left].size() + v.tokens[right].size();
            if (v.tokens[left].size() + v.tokens[right].size() > longest_token || bytes_ > most_token_bytes)
                fail("tokens of at most 64 KiB, and of 16 MiB together");
            const auto result = static_cast<std::int32_t>(v.tokens.size());
            v.merges.push_back({static_cast<std::int32_t>(left), static_cast<std::int32_t>(right), result,
                                static_cast<std::uint32_t>(result - 256)});
            v.tokens.push_back(v.tokens[left] + v.tokens[right]);
        }
        return v;
    }

private:
    [[noreturn]] void fail(std::string const& expected) const {
        fail_expectation("minbpe model: line " + std::to_string(line_), expected, detail::quoted(current_));
    }

    std::string_view next() {
        const std::size_t end = std::min(left_.find('\n'), left_.size());
        current_ = left_.substr(0, end);
        left_.remove_prefix(std::min(end + 1, left_.size()));
        ++line_;
        return current_.ends_with('\r') ? current_.substr(0, current_.size() - 1) : current_;
    }

    std::int32_t number(std::string_view word) const {
        std::int32_t value = 0;
        const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (error != std::errc{} || stop != word.data() + word.size() || value < 0) fail("numbers from 0 on");
        return value;
    }

    std::string_view left_, current_;
    std::size_t line_ = 0;
    std::size_t bytes_ = 256;
};

}  // namespace detail

/// The tokenizer of a .model file, given as its contents. Throws `exception`, with the line, for whatever is none.
inline byte_pair_tokenizer read_minbpe(std::string_view model) {
    return byte_pair_tokenizer(detail::minbpe_reader(model).read(), "minbpe model");
}

/// The inverse of `read_minbpe`. Throws `exception` for a tokenizer that the format cannot hold: ids must be the bytes
/// and then the merges in their order, as training leaves them, and a line break must be neither in the pattern nor in
/// a special token. minbpe itself reads special tokens without spaces only.
inline std::string write_minbpe(byte_pair_tokenizer const& tokenizer) {
    byte_pair_vocabulary const& v = tokenizer.vocabulary();
    const auto require = [](bool condition, std::string const& expected, std::string const& found) {
        if (!condition) fail_expectation("write_minbpe", expected, found);
    };
    const auto one_line = [](std::string_view text) { return text.find_first_of("\r\n") == text.npos; };
    require(v.tokens.size() == v.merges.size() + 256 && !v.whole_pieces, "256 bytes and as many tokens as merges",
            std::to_string(v.tokens.size()) + " tokens, " + std::to_string(v.merges.size()) + " merges" +
                (v.whole_pieces ? ", and pieces that need none" : ""));
    for (std::size_t byte = 0; byte < 256; ++byte) {
        require(v.tokens[byte][0] == static_cast<char>(static_cast<unsigned char>(byte)), "bytes in their order",
                "another token with the id " + std::to_string(byte));
    }
    require(one_line(v.pattern), "a pattern without line breaks", detail::quoted(v.pattern));
    std::string out = "minbpe v1\n" + v.pattern + '\n' + std::to_string(v.special.size()) + '\n';
    for (special_token const& s : v.special) {
        require(one_line(s.text), "special tokens without line breaks", detail::quoted(s.text));
        out += s.text + ' ' + std::to_string(s.id) + '\n';
    }
    for (std::size_t i = 0; i < v.merges.size(); ++i) {
        byte_pair_merge const& m = v.merges[i];
        require(static_cast<std::size_t>(m.result) == i + 256 && (i == 0 || m.rank > v.merges[i - 1].rank),
                "merges numbered from 256 on", "the id " + std::to_string(m.result));
        out += std::to_string(m.left) + ' ' + std::to_string(m.right) + '\n';
    }
    return out;
}

}  // namespace tenet
