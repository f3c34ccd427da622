// SPDX-License-Identifier: MIT
// data: several short examples in one row, so that less of a batch is padding.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tenet/data/completion_batch.hpp>

namespace tenet {

/// A row of several examples: its tokens, and which of them are completions.
struct packed_row {
    std::vector<std::int32_t> tokens;
    std::vector<token_range> completions;
};

/// Shares out examples of the given lengths over as few rows of `room` tokens as it can: which examples are in each
/// row, in the order in which they were given. Every example is in exactly one row.
///
/// The longest first, each into the row that it fills best: at most 11/9 of the fewest rows possible, and one. The same
/// for the same lengths. Errors: `exception` for a length of 0 or above `room`. Cost: n log n.
/// Johnson: Near-optimal bin packing algorithms (1973). TRL: packing_strategy="bfd".
inline std::vector<std::vector<std::size_t>> pack_rows(std::span<std::size_t const> lengths, std::size_t room) {
    std::vector<std::size_t> order(lengths.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return lengths[a] != lengths[b] ? lengths[a] > lengths[b] : a < b; });
    std::vector<std::vector<std::size_t>> rows;
    std::set<std::pair<std::size_t, std::size_t>> free;  // (tokens that are left, row)
    for (std::size_t i : order) {
        if (lengths[i] == 0 || lengths[i] > room)
            fail_expectation("pack_rows: example " + std::to_string(i), "1 to " + std::to_string(room) + " tokens",
                             std::to_string(lengths[i]));
        auto found = free.lower_bound({lengths[i], 0});
        if (found == free.end()) {
            found = free.insert({room, rows.size()}).first;
            rows.emplace_back();
        }
        const auto [left, row] = *found;
        free.erase(found);
        free.insert({left - lengths[i], row});
        rows[row].push_back(i);
    }
    for (auto& row : rows) std::sort(row.begin(), row.end());
    return rows;
}

/// The examples one after the other, each with its end-of-text token, which sets them apart.
///
///     for (auto const& row : pack_rows(lengths, Time::capacity)) {
///         packed_row p;
///         for (std::size_t i : row) append(p, examples[i]);
///         batch.set(r++, p.tokens, p.completions);
///     }
///
/// Attention does see the examples that stand before in a row, and positions go on; only the loss is kept apart.
/// Padding, one example a row, has neither effect.
inline void append(packed_row& row, completion_row const& example) {
    const std::size_t at = row.tokens.size();
    row.tokens.insert(row.tokens.end(), example.tokens.begin(), example.tokens.end());
    row.completions.push_back({at + example.prompt, row.tokens.size()});
}

}  // namespace tenet
