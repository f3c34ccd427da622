// SPDX-License-Identifier: MIT
// text: applies the rules of a byte-pair encoding to one piece: always the lowest rank, of equal ones the leftmost,
// until none fits. Short pieces are scanned again after each rule, longer ones keep a heap: n log n.
// Source: Sennrich, Haddow and Birch 2016, section 3.2; openai/tiktoken, src/lib.rs, `byte_pair_merge`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/text/merge_table.hpp>

namespace tenet::detail {

/// The memory of `run`, kept from piece to piece.
class merge_loop {
public:
    /// Applies the rules to ids[0, n), in place, and returns how many tokens are left.
    std::size_t run(std::int32_t* ids, std::size_t n, merge_table const& rules) {
        return n <= shortest_long ? run_short(ids, n, rules) : run_long(ids, n, rules, nullptr);
    }

    /// The same; places[i] is where among the `n` the token that is left as number `i` began.
    std::size_t run(std::int32_t* ids, std::size_t n, merge_table const& rules, std::uint32_t* places) {
        return run_long(ids, n, rules, places);
    }

private:
    static constexpr std::size_t shortest_long = 64;

    static std::size_t run_short(std::int32_t* ids, std::size_t n, merge_table const& rules) {
        std::uint32_t rank[shortest_long];  // of the pair that begins here
        std::int32_t result[shortest_long];
        const auto look_up = [&](std::size_t i) {
            const merge_table::found rule = rules.find(ids[i], ids[i + 1]);
            rank[i] = rule.rank;
            result[i] = rule.result;
        };
        for (std::size_t i = 0; i + 1 < n; ++i) look_up(i);
        while (n > 1) {
            std::size_t best = 0;
            for (std::size_t i = 1; i + 1 < n; ++i) {
                if (rank[i] < rank[best]) best = i;
            }
            if (rank[best] == no_merge) break;
            ids[best] = result[best];
            --n;
            for (std::size_t i = best + 1; i < n; ++i) {
                ids[i] = ids[i + 1];
                rank[i] = rank[i + 1];
                result[i] = result[i + 1];
            }
            if (best + 1 < n) look_up(best);
            if (best > 0) look_up(best - 1);
        }
        return n;
    }

    std::size_t run_long(std::int32_t* ids, std::size_t n, merge_table const& rules, std::uint32_t* places) {
        if (n >= no_merge) {
            fail_expectation("byte-pair encoding", "a piece of less than 4 GiB", std::to_string(n) + " bytes");
        }
        next_.resize(n);
        previous_.resize(n);
        rank_.assign(n, no_merge);
        result_.resize(n);
        heap_.clear();
        const auto end = static_cast<std::uint32_t>(n);
        // A heap's entry is outdated when its place has another rank by now. Rank and place in one number order
        // entries as the rules ask.
        const auto look_up = [&](std::uint32_t i) {
            rank_[i] = no_merge;
            if (next_[i] == end) return false;
            const merge_table::found rule = rules.find(ids[i], ids[next_[i]]);
            rank_[i] = rule.rank;
            result_[i] = rule.result;
            if (rule.rank == no_merge) return false;
            heap_.push_back(std::uint64_t{rule.rank} << 32 | i);
            return true;
        };
        for (std::uint32_t i = 0; i < end; ++i) {
            next_[i] = i + 1;
            previous_[i] = i - 1;
            look_up(i);
        }
        std::make_heap(heap_.begin(), heap_.end(), std::greater<>{});
        while (!heap_.empty()) {
            std::pop_heap(heap_.begin(), heap_.end(), std::greater<>{});
            const std::uint64_t top = heap_.back();
            heap_.pop_back();
            const auto i = static_cast<std::uint32_t>(top);
            if (rank_[i] != top >> 32) continue;
            const std::uint32_t gone = next_[i];
            ids[i] = result_[i];
            rank_[gone] = no_merge;
            next_[i] = next_[gone];
            if (next_[i] != end) previous_[next_[i]] = i;
            if (look_up(i)) std::push_heap(heap_.begin(), heap_.end(), std::greater<>{});
            if (i != 0 && look_up(previous_[i])) std::push_heap(heap_.begin(), heap_.end(), std::greater<>{});
        }
        std::size_t left = 0;
        for (std::uint32_t i = 0; i != end; i = next_[i]) {
            if (places != nullptr) places[left] = i;
            ids[left++] = ids[i];
        }
        return left;
    }

    std::vector<std::uint32_t> next_, previous_, rank_;
    std::vector<std::int32_t> result_;
    std::vector<std::uint64_t> heap_;
};

}  // namespace tenet::detail
