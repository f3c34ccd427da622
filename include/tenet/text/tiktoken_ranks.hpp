// SPDX-License-Identifier: MIT
// text: tiktoken's rank files: one line a token, "base64(bytes) rank". Pattern and special tokens are not in the file;
// those of OpenAI's encodings are known here.
// Source: openai/tiktoken, tiktoken/load.py and tiktoken_ext/openai_public.py.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>
#include <tenet/text/base64.hpp>
#include <tenet/text/byte_pair_tokenizer.hpp>
#include <tenet/text/byte_pair_vocabulary.hpp>
#include <tenet/text/rank_merges.hpp>
#include <tenet/text/special_tokens.hpp>
#include <tenet/text/text_splitter.hpp>

namespace tenet {

/// What a rank file does not say.
struct tiktoken_encoding {
    std::string pattern;
    std::vector<special_token> special;

    /// r50k_base, of GPT-2: 50,256 ranks.
    static tiktoken_encoding r50k_base() { return {std::string(split_pattern::gpt2), {{"<|endoftext|>", 50256}}}; }

    /// cl100k_base, of GPT-3.5 and GPT-4: 100,256 ranks.
    static tiktoken_encoding cl100k_base() {
        return {std::string(split_pattern::cl100k),
                {{"<|endoftext|>", 100257},
                 {"<|fim_prefix|>", 100258},
                 {"<|fim_middle|>", 100259},
                 {"<|fim_suffix|>", 100260},
                 {"<|endofprompt|>", 100276}}};
    }
};

/// The tokenizer of a rank file: `read_tiktoken(mapped_file("cl100k_base.tiktoken").text(),
/// tiktoken_encoding::cl100k_base())`.
///
/// Throws `exception`, with the line, for anything but base64, a space and a rank, for a rank or a token that is there
/// twice, and for what makes no byte-pair encoding. Cost: some 150 ms for 100,000 tokens.
inline byte_pair_tokenizer read_tiktoken(std::string_view file, tiktoken_encoding encoding) {
    struct line {
        std::uint32_t rank;
        std::string bytes;
    };
    std::vector<line> lines;
    const auto where = [&] { return "tiktoken ranks: line " + std::to_string(lines.size() + 1); };
    for (std::size_t at = 0; at < file.size();) {
        std::size_t end = std::min(file.find('\n', at), file.size());
        std::string_view text = file.substr(at, end - at);
        at = end + 1;
        if (text.ends_with('\r')) text.remove_suffix(1);
        if (text.empty() && at >= file.size()) break;
        const std::size_t space = std::min(text.find(' '), text.size());
        auto bytes = detail::from_base64(text.substr(0, space));
        std::uint32_t rank = 0;
        const auto [stop, error] =
            std::from_chars(text.data() + std::min(space + 1, text.size()), text.data() + text.size(), rank);
        if (!bytes || bytes->empty() || error != std::errc{} || stop != text.data() + text.size())
            fail_expectation(where(), "\"<base64 of a token> <rank>\"", detail::quoted(text));
        // A line has four characters or more: the file's size bounds the ranks, gaps included.
        if (!detail::plausible_id(rank, file.size() / 4)) {
            fail_expectation(where(), "ranks without wide gaps", std::to_string(rank));
        }
        lines.push_back({rank, *std::move(bytes)});
    }
    byte_pair_vocabulary v;
    v.pattern = std::move(encoding.pattern);
    v.special = std::move(encoding.special);
    v.whole_pieces = true;
    std::uint32_t highest = 0;
    for (line const& l : lines) highest = std::max(highest, l.rank);
    v.tokens.resize(lines.empty() ? 0 : highest + std::size_t{1});
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::string& token = v.tokens[lines[i].rank];
        if (!token.empty()) {
            fail_expectation("tiktoken ranks: line " + std::to_string(i + 1), "each rank once",
                             std::to_string(lines[i].rank) + " twice");
        }
        token = std::move(lines[i].bytes);
    }
    detail::token_map seen(v.tokens.size());
    for (std::size_t i = 0; i < v.tokens.size(); ++i) {
        if (!v.tokens[i].empty() && !seen.insert(static_cast<std::int32_t>(i), v.tokens)) {
            fail_expectation("tiktoken ranks: rank " + std::to_string(i), "each token once",
                             detail::quoted(v.tokens[i]) + " twice");
        }
    }
    detail::check(v, "tiktoken ranks");
    v.merges = detail::merges_of_ranks(v.tokens);
    return byte_pair_tokenizer(std::move(v), "tiktoken ranks");
}

/// The inverse of `read_tiktoken`; pattern and special tokens are not in the file.
///
/// tiktoken joins whatever neighbours make a token, by rank. Throws `exception` if that is not this tokenizer: if two
/// tokens have the same bytes, or if merges are in another order than the ids of their results.
inline std::string write_tiktoken(byte_pair_tokenizer const& tokenizer) {
    byte_pair_vocabulary const& v = tokenizer.vocabulary();
    detail::token_map seen(v.tokens.size());
    std::string out;
    for (std::size_t i = 0; i < v.tokens.size(); ++i) {
        if (v.tokens[i].empty()) continue;
        if (!seen.insert(static_cast<std::int32_t>(i), v.tokens))
            fail_expectation("write_tiktoken", "tokens of different bytes", detail::quoted(v.tokens[i]) + " twice");
        out += detail::to_base64(v.tokens[i]) + ' ' + std::to_string(i) + '\n';
    }
    const auto same_rule = [](byte_pair_merge const& a, byte_pair_merge const& b) {
        return a.left == b.left && a.right == b.right && a.result == b.result;
    };
    const std::vector<byte_pair_merge> merges = detail::merges_of_ranks(v.tokens);
    if (!std::equal(merges.begin(), merges.end(), v.merges.begin(), v.merges.end(), same_rule)) {
        fail_expectation("write_tiktoken", "merges that follow from the tokens and their ids", "others");
    }
    return out;
}

}  // namespace tenet
