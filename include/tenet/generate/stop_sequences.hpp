// SPDX-License-Identifier: MIT
// generate: where a text ends. A stream must not show what may turn out to be the beginning of a stop sequence.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace tenet {

/// Sequences of tokens that end a text; empty ones never do.
class stop_sequences {
public:
    stop_sequences() = default;
    explicit stop_sequences(std::vector<std::vector<std::int32_t>> sequences) : sequences_(std::move(sequences)) {}

    /// The length of the longest sequence that `tokens` end with, or 0.
    std::size_t matched(std::span<std::int32_t const> tokens) const {
        std::size_t longest = 0;
        for (auto const& s : sequences_)
            if (s.size() <= tokens.size() && std::equal(s.begin(), s.end(), tokens.end() - distance(s.size())))
                longest = std::max(longest, s.size());
        return longest;
    }

    /// How many of the last tokens may be the beginning of a sequence.
    std::size_t undecided(std::span<std::int32_t const> tokens) const {
        std::size_t longest = 0;
        for (auto const& s : sequences_)
            for (std::size_t n = std::min(s.empty() ? 0 : s.size() - 1, tokens.size()); n > longest; --n)
                if (std::equal(tokens.end() - distance(n), tokens.end(), s.begin())) longest = n;
        return longest;
    }

private:
    std::vector<std::vector<std::int32_t>> sequences_;

    static std::ptrdiff_t distance(std::size_t n) { return static_cast<std::ptrdiff_t>(n); }
};

}  // namespace tenet
