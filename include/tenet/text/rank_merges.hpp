// SPDX-License-Identifier: MIT
// text: merge rules for vocabularies that have none of their own: tiktoken joins any two neighbours whose bytes
// together are a token, the lowest rank first. Almost always a token has one such pair, the one that its own bytes
// come down to just before its rank; only for others must every way of cutting it be a rule.
// Source of the idea to recover merges: karpathy/minbpe, minbpe/gpt4.py, `recover_merges`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/text/merge_loop.hpp>
#include <tenet/text/merge_table.hpp>
#include <tenet/text/token_map.hpp>

namespace tenet::detail {

// All rules for tokens[id]: wherever both parts are tokens in `parts`.
class every_cut {
public:
    every_cut(std::span<std::string const> tokens, token_map const& parts)
        : tokens_(tokens), parts_(parts), has_length_(parts.longest() + 1, false) {
        for (std::string const& token : tokens) {
            if (token.size() <= parts.longest()) has_length_[token.size()] = true;
        }
    }

    /// Calls rule(merge) for each way of cutting tokens[id].
    template <class F>
    void operator()(std::int32_t id, std::uint32_t rank, F const& rule) const {
        std::string_view const bytes = tokens_[static_cast<std::size_t>(id)];
        for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
            // Lengths first: hashing both parts at every cut of a long token would be quadratic.
            const std::size_t rest = bytes.size() - cut;
            if (cut >= has_length_.size() || rest >= has_length_.size() || !has_length_[cut] || !has_length_[rest])
                continue;
            const auto left = parts_.find(bytes.substr(0, cut), tokens_);
            if (!left) continue;
            const auto right = parts_.find(bytes.substr(cut), tokens_);
            if (right) rule(byte_pair_merge{*left, *right, id, rank});
        }
    }

private:
    std::span<std::string const> tokens_;
    token_map const& parts_;
    std::vector<bool> has_length_;
};

/// The merges of tokens whose ids are their ranks. `tokens` are different, and there is one for each byte.
/// Cost: some 100 ms for GPT-4's hundred thousand.
inline std::vector<byte_pair_merge> merges_of_ranks(std::span<std::string const> tokens) {
    token_map ids(tokens.size());
    std::array<std::int32_t, 256> byte_ids{};
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const auto id = static_cast<std::int32_t>(i);
        if (!tokens[i].empty()) ids.insert(id, tokens);
        if (tokens[i].size() == 1) byte_ids[static_cast<unsigned char>(tokens[i][0])] = id;
    }
    const every_cut cuts(tokens, ids);
    std::vector<byte_pair_merge> merges;
    merge_table rules(tokens.size());
    merge_loop loop;
    std::vector<std::int32_t> parts;
    const auto add = [&](byte_pair_merge const& m) {
        merges.push_back(m);
        rules.insert(m);
    };
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i].size() < 2) continue;
        const auto id = static_cast<std::int32_t>(i);
        const auto rank = static_cast<std::uint32_t>(i);
        parts.clear();
        for (char c : tokens[i]) parts.push_back(byte_ids[static_cast<unsigned char>(c)]);
        if (loop.run(parts.data(), parts.size(), rules) == 2) add({parts[0], parts[1], id, rank});
        else cuts(id, rank, add);
    }
    return merges;
}

}  // namespace tenet::detail
