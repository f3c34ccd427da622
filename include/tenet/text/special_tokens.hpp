// SPDX-License-Identifier: MIT
// text: special tokens, such as <|endoftext|>: ids of their own that no text should reach by accident. A policy says
// what becomes of text that looks like one.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>

namespace tenet {

/// A special token: its text stands for one id.
struct special_token {
    std::string text;
    std::int32_t id;

    friend bool operator==(special_token const&, special_token const&) = default;
};

/// What an encoder does where the text holds the text of a special token.
///
/// `special_policy::as_text()`: it is text like any other; for corpora and whatever a user typed.
/// `special_policy::recognise()`: it becomes the special token; for text that a program put together.
/// `special_policy::refuse()`: it is an error; for text that should not hold any.
/// A single token may differ: `{special_rule::refuse, {{"<|endoftext|>", special_rule::recognise}}}`.
/// tiktoken: encode_ordinary; allowed_special="all"; the default of encode; allowed_special={"<|endoftext|>"}.
enum class special_rule { as_text, recognise, refuse };

/// One rule for all special tokens, and exceptions by their text.
struct special_policy {
    special_rule rule = special_rule::as_text;
    std::map<std::string, special_rule, std::less<>> exceptions = {};

    static special_policy as_text() { return {special_rule::as_text}; }
    static special_policy recognise() { return {special_rule::recognise}; }
    static special_policy refuse() { return {special_rule::refuse}; }
};

namespace detail {

// Finds special tokens in text, the leftmost first, of those that begin at one place the longest.
class special_search {
public:
    explicit special_search(std::span<special_token const> tokens, special_policy const& policy) {
        std::size_t known = 0;
        for (special_token const& token : tokens) {
            const auto other = policy.exceptions.find(token.text);
            known += other != policy.exceptions.end();
            const special_rule rule = other != policy.exceptions.end() ? other->second : policy.rule;
            if (rule != special_rule::as_text) wanted_.push_back({&token, rule});
        }
        if (known != policy.exceptions.size()) report_unknown(tokens, policy);
        std::sort(wanted_.begin(), wanted_.end(),
                  [](wanted const& a, wanted const& b) { return a.token->text.size() > b.token->text.size(); });
        for (wanted const& w : wanted_) begins_[static_cast<unsigned char>(w.token->text[0])] = true;
    }

    struct found {
        std::size_t at;
        special_token const* token;
    };

    /// The first special token of text[from, ...) that becomes an id. Throws at one that is refused.
    std::optional<found> next(std::string_view text, std::size_t from) const {
        if (wanted_.empty()) return std::nullopt;
        for (std::size_t at = from; at < text.size(); ++at) {
            if (!begins_[static_cast<unsigned char>(text[at])]) continue;
            for (wanted const& w : wanted_) {
                if (!text.substr(at).starts_with(w.token->text)) continue;
                if (w.rule == special_rule::recognise) return found{at, w.token};
                fail_expectation(
                    "encode: offset " + std::to_string(at), "text without refused special tokens",
                    detail::quoted(w.token->text) + " (a special_policy may recognise it or take it as text)");
            }
        }
        return std::nullopt;
    }

private:
    struct wanted {
        special_token const* token;
        special_rule rule;
    };

    [[noreturn]] static void report_unknown(std::span<special_token const> tokens, special_policy const& policy) {
        for (auto const& [text, rule] : policy.exceptions) {
            if (std::none_of(tokens.begin(), tokens.end(), [&](special_token const& t) { return t.text == text; })) {
                fail_expectation("encode: special_policy", "special tokens of the tokenizer", detail::quoted(text));
            }
        }
        fail_expectation("encode: special_policy", "special tokens with different texts", "one text twice");
    }

    std::vector<wanted> wanted_;
    std::array<bool, 256> begins_{};
};

}  // namespace detail

}  // namespace tenet
