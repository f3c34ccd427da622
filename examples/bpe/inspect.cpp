// SPDX-License-Identifier: MIT
// What is in a tokenizer, and how well it fits a text.
#include <cstdio>
#include <string>
#include <string_view>

#include <tenet/base/quoted.hpp>
#include <tenet/io/mapped_file.hpp>

#include "commands.hpp"
#include "tokenizer_files.hpp"

namespace bpe {
namespace {

using namespace tenet;

void describe(byte_pair_tokenizer const& tokenizer) {
    byte_pair_vocabulary const& v = tokenizer.vocabulary();
    std::size_t tokens = 0, longest = 0;
    for (std::size_t i = 0; i < v.tokens.size(); ++i) {
        tokens += !v.tokens[i].empty();
        if (v.tokens[i].size() > v.tokens[longest].size()) longest = i;
    }
    std::printf("tokens      %zu, merges %zu\n", tokens, v.merges.size());
    std::printf("longest     id %zu, %zu bytes: %s\n", longest, v.tokens[longest].size(),
                detail::quoted(v.tokens[longest]).c_str());
    std::printf("pattern     %s\n", v.pattern.empty() ? "none" : v.pattern.c_str());
    for (special_token const& s : v.special)
        std::printf("special     id %d: %s\n", s.id, detail::quoted(s.text).c_str());
}

void describe(score_tokenizer const&) {
    std::printf("tokens      by score; 3 special tokens, 256 bytes\n");
}

}  // namespace

int inspect(inspect_options const& options) {
    const opened_tokenizer opened = open_tokenizer(options.tokenizer);
    std::printf("format      %s\n", opened.format.c_str());
    std::visit(
        [&](auto const& tokenizer) {
            std::printf("vocabulary  %zu\n", tokenizer.vocabulary_size());
            describe(tokenizer);
            for (std::int32_t id : options.ids) {
                std::string_view const bytes = tokenizer.token(id);
                std::printf("id %d: %zu bytes, %s\n", id, bytes.size(), detail::quoted(bytes).c_str());
            }
            if (options.text.empty()) return;
            const mapped_file file(options.text);
            const std::size_t count = tokenizer.encode(file.text()).size();
            std::printf("text        %zu bytes, %zu tokens, %.3f bytes a token\n", file.text().size(), count,
                        count == 0 ? 0.0 : static_cast<double>(file.text().size()) / static_cast<double>(count));
        },
        opened.tokenizer);
    return 0;
}

}  // namespace bpe
