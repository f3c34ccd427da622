// SPDX-License-Identifier: MIT
// text: what GPT-2's two files and Hugging Face's one have in common: tokens spelled in the byte alphabet with their
// ids, and merges as pairs of spellings in the order of their ranks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>
#include <tenet/text/byte_alphabet.hpp>
#include <tenet/text/byte_pair_vocabulary.hpp>
#include <tenet/text/merge_table.hpp>

namespace tenet::detail {

class spelled_vocabulary {
public:
    /// `where` begins all messages.
    explicit spelled_vocabulary(std::string where) : where_(std::move(where)) {}

    std::string const& where() const { return where_; }
    std::map<std::string, std::int32_t, std::less<>> const& ids() const { return ids_; }
    std::vector<std::pair<std::string, std::string>> const& merges() const { return merges_; }

    /// Throws for an id out of reach and for a token that is there twice.
    void add_token(std::string spelling, std::uint64_t id, std::size_t file_size) {
        // A token takes five characters of a file or more: its size bounds the ids.
        if (!plausible_id(id, file_size / 4)) {
            fail_expectation(where_, "ids without wide gaps",
                             detail::quoted(spelling) + " with the id " + std::to_string(id));
        }
        const auto [at, fresh] = ids_.emplace(std::move(spelling), static_cast<std::int32_t>(id));
        if (!fresh) fail_expectation(where_, "each token once", detail::quoted(at->first) + " twice");
    }

    void add_merge(std::string left, std::string right) { merges_.emplace_back(std::move(left), std::move(right)); }

    /// Reads "left right".
    void add_merge(std::string_view line) {
        const std::size_t space = line.find(' ');
        if (space == line.npos || space == 0 || space + 1 == line.size() || line.find(' ', space + 1) != line.npos) {
            fail_expectation(where_ + ": merge " + std::to_string(merges_.size() + 1), "two tokens and a space between",
                             detail::quoted(line));
        }
        add_merge(std::string(line.substr(0, space)), std::string(line.substr(space + 1)));
    }

    /// The vocabulary without pattern. Tokens in `special` and tokens that nothing merges to are special tokens.
    byte_pair_vocabulary finish(std::vector<special_token> special) const {
        byte_pair_vocabulary v;
        v.special = std::move(special);
        std::set<std::string, std::less<>> texts;
        std::int32_t highest = -1;
        for (special_token const& s : v.special) texts.insert(s.text);
        for (auto const& [spelling, id] : ids_) highest = std::max(highest, id);
        v.tokens.resize(static_cast<std::size_t>(highest + 1));
        read_merges(v);
        std::vector<bool> reached(v.tokens.size(), false);
        for (byte_pair_merge const& m : v.merges) reached[static_cast<std::size_t>(m.result)] = true;
        for (auto const& [spelling, id] : ids_) {
            if (texts.contains(spelling)) continue;
            const auto bytes = from_byte_alphabet(spelling);
            const auto i = static_cast<std::size_t>(id);
            if (bytes && (bytes->size() == 1 || reached[i])) {
                if (!v.tokens[i].empty()) fail_expectation(where_, "each id once", std::to_string(id) + " twice");
                v.tokens[i] = *bytes;
            } else {
                v.special.push_back({spelling, id});
            }
        }
        return v;
    }

private:
    void read_merges(byte_pair_vocabulary& v) const {
        const auto id = [&](std::string_view spelling) {
            const auto found = ids_.find(spelling);
            if (found == ids_.end())
                fail_expectation(where_ + ": merge " + std::to_string(v.merges.size() + 1), "tokens of the vocabulary",
                                 detail::quoted(spelling));
            return found->second;
        };
        for (auto const& [left, right] : merges_) {
            v.merges.push_back({id(left), id(right), id(left + right), static_cast<std::uint32_t>(v.merges.size())});
        }
    }

    std::string where_;
    std::map<std::string, std::int32_t, std::less<>> ids_;
    std::vector<std::pair<std::string, std::string>> merges_;
};

/// Spells `v`. Throws `exception` if the formats of this kind cannot say it: they know tokens by their bytes, and ranks
/// by the order of the merges.
inline spelled_vocabulary spell(byte_pair_vocabulary const& v, std::string const& where) {
    spelled_vocabulary out(where);
    const std::size_t any_size = v.tokens.size() * 8 + v.special.size() * 8;
    const auto spelling = [&](std::int32_t id) { return to_byte_alphabet(v.tokens[static_cast<std::size_t>(id)]); };
    for (std::size_t i = 0; i < v.tokens.size(); ++i) {
        if (v.tokens[i].empty()) continue;
        std::string letters = to_byte_alphabet(v.tokens[i]);
        if (out.ids().contains(letters))
            fail_expectation(where, "tokens of different bytes", detail::quoted(v.tokens[i]) + " twice");
        out.add_token(std::move(letters), i, any_size);
    }
    for (std::size_t i = 0; i < v.merges.size(); ++i) {
        if (i != 0 && v.merges[i].rank <= v.merges[i - 1].rank) {
            fail_expectation(where, "merges of different ranks, in their order",
                             detail::quoted(v.tokens[static_cast<std::size_t>(v.merges[i].result)]) +
                                 ", which several pairs make at one rank");
        }
        out.add_merge(spelling(v.merges[i].left), spelling(v.merges[i].right));
    }
    return out;
}

}  // namespace tenet::detail
