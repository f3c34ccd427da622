// SPDX-License-Identifier: MIT
// text: a piece of any length in linear time. A long piece is encoded in parts that fit into the cache, and the parts
// are joined: a row of tokens is the encoding of its text if and only if each two neighbours are the encoding of
// theirs. For until a rule first joins something over a border between tokens, what happens on its two sides depends on
// them alone, so that this would happen to the two by themselves as well. Source of the property: github/rust-gems,
// crates/bpe/README.md, corollary III.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/text/merge_loop.hpp>
#include <tenet/text/merge_table.hpp>

namespace tenet::detail {

/// Applies rules to pieces; its memory is kept from piece to piece.
class piece_encoder {
public:
    /// Pieces of more than two parts are cut into parts of `part` tokens.
    explicit piece_encoder(std::size_t part = 4096) : part_(part) {}

    /// Applies the rules to ids[0, n), in place, and returns how many tokens are left. Throws `exception` for a piece
    /// of 4 GiB or more.
    std::size_t run(std::int32_t* ids, std::size_t n, merge_table const& rules) {
        if (n <= 2 * part_) return loop_.run(ids, n, rules);
        if (n >= std::numeric_limits<std::uint32_t>::max()) {
            fail_expectation("byte-pair encoding", "a piece of less than 4 GiB", std::to_string(n) + " bytes");
        }
        whole_.clear();
        for (std::size_t begin = 0; begin < n; begin += part_) {
            const std::size_t end = std::min(n, begin + part_);
            encode(next_, ids, begin, end, rules);
            if (begin == 0) std::swap(whole_, next_);
            else join(ids, end, rules);
        }
        std::copy(whole_.ids.begin(), whole_.ids.end(), ids);
        return whole_.ids.size();
    }

private:
    // Tokens, and where they begin in the piece.
    struct tokens {
        std::vector<std::int32_t> ids;
        std::vector<std::uint32_t> places;

        std::size_t size() const { return ids.size(); }
        void clear() { resize(0); }
        void resize(std::size_t n) { ids.resize(n), places.resize(n); }
        void append(tokens const& from, std::size_t first) {
            ids.insert(ids.end(), from.ids.begin() + static_cast<std::ptrdiff_t>(first), from.ids.end());
            places.insert(places.end(), from.places.begin() + static_cast<std::ptrdiff_t>(first), from.places.end());
        }
    };

    void encode(tokens& to, std::int32_t const* ids, std::size_t begin, std::size_t end, merge_table const& rules) {
        to.ids.assign(ids + begin, ids + end);
        to.places.resize(end - begin);
        to.resize(loop_.run(to.ids.data(), end - begin, rules, to.places.data()));
        for (std::uint32_t& place : to.places) place += static_cast<std::uint32_t>(begin);
    }

    // whole_ and next_, which ends at `end`, become whole_. Some tokens on both sides of the border are encoded again
    // together, more of them until the outermost two come out as they were: these are neighbours of what is beyond.
    void join(std::int32_t const* ids, std::size_t end, merge_table const& rules) {
        for (std::size_t count = 4;; count *= 2) {
            const std::size_t left = std::min(count, whole_.size()), right = std::min(count, next_.size()),
                              kept = whole_.size() - left;
            const bool all = right == next_.size();
            encode(border_, ids, whole_.places[kept], all ? end : next_.places[right], rules);
            if (kept != 0 && !same(border_, 0, whole_, kept)) continue;
            if (!all && !same(border_, border_.size() - 1, next_, right - 1)) continue;
            whole_.resize(kept);
            whole_.append(border_, 0);
            whole_.append(next_, right);
            return;
        }
    }
    static bool same(tokens const& a, std::size_t i, tokens const& b, std::size_t j) {
        return a.ids[i] == b.ids[j] && a.places[i] == b.places[j];
    }

    std::size_t part_;
    merge_loop loop_;
    tokens whole_, next_, border_;
};

}  // namespace tenet::detail
