// SPDX-License-Identifier: MIT
// data: batches of windows of a token stream. A training batch is a pure function of (seed, step, row): there is no
// state to save, a resumed run sees the batches that it would have seen, and threads cannot change them.
// Source: github.com/karpathy/nanoGPT, train.py, `get_batch`; the mixer is Stafford's variant 13, as in splitmix64.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <tenet/base/exception.hpp>

namespace tenet {

/// Windows of `time` tokens and their targets, which are the same tokens one place later.
///
/// Axes: inputs and targets are row-major [batch, time]; targets[b, t] = tokens[start_b + t + 1].
/// Borrows the tokens. Throws `exception` if there are fewer than time + 1 tokens, or if a batch's spans are not
/// whole rows of equal number. Cost: a copy of the windows.
class token_windows {
public:
    token_windows(std::span<std::int32_t const> tokens, std::size_t time, std::uint64_t seed = 0)
        : tokens_(tokens), time_(time), seed_(seed) {
        if (time == 0) fail_expectation("token_windows", "a window of at least one token", "0");
        if (tokens.size() <= time) {
            fail_expectation("token_windows",
                             "at least " + std::to_string(time) + " + 1 tokens for a window and its targets",
                             std::to_string(tokens.size()));
        }
    }

    /// Places at which a window can start: tokens - time.
    std::size_t positions() const { return tokens_.size() - time_; }

    /// The start of row `row` of training step `step`: uniform over the positions, without bias.
    std::size_t start(std::uint64_t step, std::uint64_t row) const {
        const std::uint64_t last = positions() - 1;
        const std::uint64_t mask = ~std::uint64_t{0} >> std::countl_zero(last | 1);
        // Draws above the last position are thrown away; a modulus would prefer the first positions.
        for (std::uint64_t attempt = 0;; ++attempt) {
            const std::uint64_t drawn = mix(mix(mix(mix(seed_) ^ step) ^ row) ^ attempt) & mask;
            if (drawn <= last) return static_cast<std::size_t>(drawn);
        }
    }

    /// Fills the training batch of `step`. `first_row` lets several calls share one batch (gradient accumulation):
    /// rows [0, 4) and [4, 8) of a step are the rows [0, 8) of that step.
    void batch(std::uint64_t step, std::span<std::int32_t> inputs, std::span<std::int32_t> targets,
               std::uint64_t first_row = 0) const {
        const std::size_t rows = row_count(inputs, targets);
        for (std::size_t r = 0; r < rows; ++r) fill(r, start(step, first_row + r), inputs, targets);
    }

    /// Windows that lie side by side over all tokens; up to time - 1 tokens at the end, too few for one, are left out.
    std::size_t evaluation_windows() const { return (tokens_.size() - 1) / time_; }

    /// Batches of `rows` windows that cover the evaluation windows; the last may be partial.
    std::size_t evaluation_batches(std::size_t rows) const {
        if (rows == 0) fail_expectation("token_windows::evaluation_batches", "at least one row", "0");
        return (evaluation_windows() + rows - 1) / rows;
    }

    /// Fills batch `index` of the evaluation windows and returns the number of rows filled: fewer than asked in the
    /// last batch, 0 past it. Rows that are not filled are set to token 0.
    std::size_t evaluation_batch(std::size_t index, std::span<std::int32_t> inputs,
                                 std::span<std::int32_t> targets) const {
        const std::size_t rows = row_count(inputs, targets);
        const std::size_t windows = evaluation_windows();
        const std::size_t begin = index < windows / rows + 1 ? std::min(index * rows, windows) : windows;
        const std::size_t filled = std::min(rows, windows - begin);
        for (std::size_t r = 0; r < filled; ++r) fill(r, (begin + r) * time_, inputs, targets);
        std::fill(inputs.begin() + static_cast<std::ptrdiff_t>(filled * time_), inputs.end(), 0);
        std::fill(targets.begin() + static_cast<std::ptrdiff_t>(filled * time_), targets.end(), 0);
        return filled;
    }

private:
    static constexpr std::uint64_t mix(std::uint64_t x) {
        x += 0x9e3779b97f4a7c15u;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        return x ^ (x >> 31);
    }

    std::size_t row_count(std::span<std::int32_t> inputs, std::span<std::int32_t> targets) const {
        if (inputs.empty() || inputs.size() % time_ != 0 || inputs.size() != targets.size()) {
            fail_expectation("token_windows",
                             "inputs and targets of the same number of rows of " + std::to_string(time_),
                             std::to_string(inputs.size()) + " and " + std::to_string(targets.size()) + " elements");
        }
        return inputs.size() / time_;
    }

    void fill(std::size_t row, std::size_t from, std::span<std::int32_t> inputs,
              std::span<std::int32_t> targets) const {
        const auto window = tokens_.subspan(from, time_ + 1);
        std::copy_n(window.begin(), time_, inputs.subspan(row * time_, time_).begin());
        std::copy_n(window.begin() + 1, time_, targets.subspan(row * time_, time_).begin());
    }

    std::span<std::int32_t const> tokens_;
    std::size_t time_;
    std::uint64_t seed_;
};

}  // namespace tenet
