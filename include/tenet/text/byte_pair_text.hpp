// SPDX-License-Identifier: MIT
// text: a byte-pair encoding as one line of printable ASCII, for the metadata of checkpoints: it holds all that any of
// the file formats can say.
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
#include <tenet/text/base64.hpp>
#include <tenet/text/byte_pair_vocabulary.hpp>

namespace tenet::detail {

inline constexpr std::string_view byte_pair_text_prefix = "byte_pair_tokenizer 1 ";

/// "byte_pair_tokenizer 1", then words: the pattern, 0 or 1 for whole pieces, the numbers of tokens, merges and special
/// tokens, and these: base64, left,right,result,rank, and id,base64. An empty text is "-".
inline std::string to_text(byte_pair_vocabulary const& v) {
    const auto word = [](std::string_view bytes) { return bytes.empty() ? "-" : to_base64(bytes); };
    std::string out(byte_pair_text_prefix);
    out += word(v.pattern) + (v.whole_pieces ? " 1 " : " 0 ") + std::to_string(v.tokens.size()) + ' ' +
           std::to_string(v.merges.size()) + ' ' + std::to_string(v.special.size());
    for (std::string const& token : v.tokens) (out += ' ') += word(token);
    for (byte_pair_merge const& m : v.merges) {
        for (char separator = ' '; const auto number : {std::int64_t{m.left}, std::int64_t{m.right},
                                                        std::int64_t{m.result}, std::int64_t{m.rank}}) {
            (out += separator) += std::to_string(number);
            separator = ',';
        }
    }
    for (special_token const& s : v.special) (((out += ' ') += std::to_string(s.id)) += ',') += word(s.text);
    return out;
}

class byte_pair_text_reader {
public:
    explicit byte_pair_text_reader(std::string_view text) : text_(text), left_(text) {
        if (!text.starts_with(byte_pair_text_prefix)) fail("text that begins with \"byte_pair_tokenizer 1 \"");
        left_.remove_prefix(byte_pair_text_prefix.size());
    }

    byte_pair_vocabulary read() {
        byte_pair_vocabulary v;
        v.pattern = bytes(' ');
        v.whole_pieces = number<std::uint8_t>(' ') != 0;
        const auto tokens = count(), merges = count(), special = count();
        v.tokens.reserve(tokens);
        v.merges.reserve(merges);
        for (std::size_t i = 0; i < tokens; ++i) v.tokens.push_back(bytes(' '));
        for (std::size_t i = 0; i < merges; ++i) {
            byte_pair_merge m{};
            m.left = number<std::int32_t>(',');
            m.right = number<std::int32_t>(',');
            m.result = number<std::int32_t>(',');
            m.rank = number<std::uint32_t>(' ');
            v.merges.push_back(m);
        }
        for (std::size_t i = 0; i < special; ++i) {
            const auto id = number<std::int32_t>(',');
            v.special.push_back({bytes(' '), id});
        }
        if (!left_.empty()) fail("the end");
        return v;
    }

private:
    [[noreturn]] void fail(std::string const& expected) const {
        fail_expectation("byte_pair_tokenizer::from_string: offset " + std::to_string(text_.size() - left_.size()),
                         expected, left_.empty() ? "the end" : detail::quoted(left_.substr(0, 40)));
    }

    std::string_view next(char separator) {
        const std::size_t end = std::min(left_.find(separator), left_.size());
        std::string_view const word = left_.substr(0, end);
        left_.remove_prefix(std::min(end + 1, left_.size()));
        return word;
    }

    template <class T>
    T number(char separator) {
        T value{};
        const std::size_t end = std::min(left_.find(separator), left_.size());
        const auto [stop, error] = std::from_chars(left_.data(), left_.data() + end, value);
        if (error != std::errc{} || stop != left_.data() + end) fail("a number");
        next(separator);
        return value;
    }

    // Each token, merge or special token has two characters or more: a claim cannot make us allocate much.
    std::size_t count() {
        const auto value = number<std::uint32_t>(' ');
        if (value > text_.size() / 2) fail("no more words than there are");
        return value;
    }

    std::string bytes(char separator) {
        const std::size_t end = std::min(left_.find(separator), left_.size());
        if (left_.substr(0, end) == "-") return next(separator), std::string();
        auto decoded = from_base64(left_.substr(0, end));
        if (!decoded || decoded->empty()) fail("base64");
        next(separator);
        return *std::move(decoded);
    }

    std::string_view text_, left_;
};

}  // namespace tenet::detail
