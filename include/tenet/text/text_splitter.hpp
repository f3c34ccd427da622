// SPDX-License-Identifier: MIT
// text: cuts text into pieces that a byte-pair encoding never merges across: by a regular expression, through PCRE2,
// whose machine code takes some 30 ns a piece and knows Unicode's properties.
// Sources: openai/gpt-2, src/encoder.py; openai/tiktoken, tiktoken_ext/openai_public.py; karpathy/minbpe, regex.py.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

// PCRE2 has one set of functions a character width, and asks which one its short names mean.
#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH 8
#endif
#include <pcre2.h>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>
#include <tenet/text/utf8.hpp>

namespace tenet {

/// Patterns of well-known tokenizers, in the spelling of their sources. \s is Unicode's White_Space.
namespace split_pattern {
/// No split: the text is one piece.
inline constexpr std::string_view none = "";
/// GPT-2 (r50k_base, p50k_base): English contractions, words, numbers and signs, each with the space before.
inline constexpr std::string_view gpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
/// GPT-4 (cl100k_base): contractions of any case, numbers of at most three digits, line ends of their own.
inline constexpr std::string_view cl100k =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
/// minbpe's GPT4_SPLIT_PATTERN: another spelling of cl100k's.
inline constexpr std::string_view gpt4_minbpe =
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)";
}  // namespace split_pattern

namespace detail {

// PCRE2's \s also matches U+180E, which has not been white space since Unicode 6.3.
inline std::string with_unicode_space(std::string_view pattern) {
    std::string out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        out += pattern[i];
        if (pattern[i] != '\\' || i + 1 == pattern.size()) continue;
        const char escaped = pattern[++i];
        if (escaped == 's') out += "p{White_Space}";
        else if (escaped == 'S') out += "P{White_Space}";
        else out += escaped;
        if (escaped == 'Q') {
            const std::size_t end = std::min(pattern.find("\\E", i + 1), pattern.size());
            out += pattern.substr(i + 1, end - i - 1);
            i = end - 1;
        }
    }
    return out;
}

inline std::string pcre2_message(int error) {
    PCRE2_UCHAR8 text[256] = {};
    pcre2_get_error_message_8(error, text, sizeof text);
    return reinterpret_cast<char const*>(text);
}

}  // namespace detail

/// A compiled split pattern. Copies share the machine code; all member functions may run on several threads.
class text_splitter {
public:
    /// Compiles a pattern in the syntax of PCRE2 (Perl's) with Unicode properties; the empty one does not split.
    /// Throws `exception` for a pattern that PCRE2 refuses, with its reason and the place.
    explicit text_splitter(std::string_view pattern = split_pattern::none) : pattern_(pattern) {
        if (!pattern_.empty()) compile();
    }

    /// The pattern as it was given.
    std::string const& pattern() const { return pattern_; }

    /// Calls f(piece) for the pieces of `text`, in order; joined they are `text`, byte for byte.
    ///
    /// What the pattern does not match is a piece too, up to its next match. A byte that is not UTF-8 counts as a
    /// character that is neither letter, number nor space. Throws `exception` when the pattern is so entangled that
    /// PCRE2 gives up. Cost: linear for the patterns above; a pattern of one's own may backtrack.
    template <class F>
    void for_each_piece(std::string_view text, F&& f) const {
        if (text.empty()) return;
        if (!code_) return f(text);
        if (is_utf8(text)) return split(text, text, f);
        // Matched is a copy of equal length, in which U+0001 stands for each byte that is not UTF-8.
        std::string matched;
        matched.reserve(text.size());
        detail::for_each_utf8_stretch(
            text, [&](std::string_view valid) { matched += valid; },
            [&](std::string_view broken) { matched.append(broken.size(), '\x01'); });
        split(matched, text, f);
    }

    friend bool operator==(text_splitter const& a, text_splitter const& b) { return a.pattern_ == b.pattern_; }

private:
    static constexpr std::size_t longest_pattern = 65536;

    void compile() {
        if (pattern_.size() > longest_pattern) {
            fail_expectation("text_splitter", "a pattern of at most " + std::to_string(longest_pattern) + " bytes",
                             std::to_string(pattern_.size()));
        }
        const std::string pattern = detail::with_unicode_space(pattern_);
        int error = 0;
        std::size_t place = 0;
        pcre2_code_8* const code =
            pcre2_compile_8(reinterpret_cast<PCRE2_SPTR8>(pattern.data()), pattern.size(),
                            PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &place, nullptr);
        if (code == nullptr) {
            // The compiled text is longer by what \s became; quoted from its end, the place is right in both.
            fail_expectation("text_splitter: the pattern " + detail::quoted(pattern_), "a regular expression of PCRE2",
                             "\"" + detail::pcre2_message(error) + "\" before " +
                                 detail::quoted(std::string_view(pattern).substr(std::min(place, pattern.size()))));
        }
        code_.reset(code, pcre2_code_free_8);
        // Without a compiler for this processor matching is slower, and else the same.
        pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE);
    }

    struct free_match {
        void operator()(pcre2_match_data_8* match) const { pcre2_match_data_free_8(match); }
    };

    template <class F>
    void split(std::string_view matched, std::string_view text, F& f) const {
        const std::unique_ptr<pcre2_match_data_8, free_match> match(pcre2_match_data_create_8(1, nullptr));
        if (!match) throw std::bad_alloc();
        std::size_t const* const found = pcre2_get_ovector_pointer_8(match.get());
        std::size_t done = 0;  // text before it has been handed out
        std::size_t at = 0;    // matching goes on here
        while (at < text.size()) {
            const int result = next(matched, at, match.get());
            if (result == PCRE2_ERROR_NOMATCH) break;
            if (result < 0) {
                fail_expectation("text_splitter: offset " + std::to_string(at),
                                 "a match of the pattern " + detail::quoted(pattern_) + " within PCRE2's limits",
                                 "\"" + detail::pcre2_message(result) + "\"");
            }
            // \K may put a match's begin behind its end or before where matching began.
            const std::size_t begin = std::max(found[0], at), end = std::max(found[1], begin);
            if (begin == end) {  // an empty match parts nothing; go on after the next character
                at = end < text.size() ? end + detail::utf8_at(matched, end).length : end;
                continue;
            }
            if (begin != done) f(text.substr(done, begin - done));
            f(text.substr(begin, end - begin));
            done = at = end;
        }
        if (done != text.size()) f(text.substr(done));
    }

    // UTF-8 was checked once: PCRE2 would check the rest of the text at every match.
    int next(std::string_view matched, std::size_t at, pcre2_match_data_8* match) const {
        const auto* subject = reinterpret_cast<PCRE2_SPTR8>(matched.data());
        const int result = pcre2_match_8(code_.get(), subject, matched.size(), at, PCRE2_NO_UTF_CHECK, match, nullptr);
        if (result != PCRE2_ERROR_JIT_STACKLIMIT) return result;
        // Machine code keeps 32 KiB of backtracking; the interpreter has the heap.
        return pcre2_match_8(code_.get(), subject, matched.size(), at, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, match,
                             nullptr);
    }

    std::string pattern_;
    std::shared_ptr<pcre2_code_8> code_;
};

}  // namespace tenet
