// SPDX-License-Identifier: MIT
// text: which two neighbouring tokens become which one, and in what order: the rules of a byte-pair encoding in a hash
// table.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <tenet/text/token_map.hpp>

namespace tenet {

/// A rule: `left` and `right` side by side become `result`. Of the rules that fit, the lowest rank comes first.
struct byte_pair_merge {
    std::int32_t left, right, result;
    std::uint32_t rank;

    friend bool operator==(byte_pair_merge const&, byte_pair_merge const&) = default;
};

namespace detail {

inline constexpr std::uint32_t no_merge = ~std::uint32_t{0};

class merge_table {
public:
    struct found {
        std::uint32_t rank;  // no_merge: no rule
        std::int32_t result;
    };

    /// Room for `count` rules; grows.
    explicit merge_table(std::size_t count = 0)
        : slots_(std::bit_ceil(std::max<std::size_t>(8, count * 2))), shift_(shift_of(slots_.size())) {}

    /// The rule for a pair.
    found find(std::int32_t left, std::int32_t right) const {
        const slot& s = slots_[place(key_of(left, right))];
        return {s.rank, s.result};
    }

    /// Adds a rule. False, and nothing changes, if the pair has one.
    bool insert(byte_pair_merge const& merge) {
        const std::uint64_t key = key_of(merge.left, merge.right);
        slot& s = slots_[place(key)];
        if (s.rank != no_merge) return false;
        s = {key, merge.rank, merge.result};
        if (++size_ * 2 > slots_.size()) grow();
        return true;
    }

private:
    struct slot {
        std::uint64_t key = 0;
        std::uint32_t rank = no_merge;  // no_merge: free
        std::int32_t result = 0;
    };

    static std::uint64_t key_of(std::int32_t left, std::int32_t right) {
        return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
    }
    static unsigned shift_of(std::size_t slots) { return static_cast<unsigned>(std::countl_zero(slots) + 1); }

    std::size_t place(std::uint64_t key) const {
        std::size_t i = (mix_bits(key) * 0xd6e8feb86659fd93u) >> shift_;
        while (slots_[i].rank != no_merge && slots_[i].key != key) i = (i + 1) & (slots_.size() - 1);
        return i;
    }

    void grow() {
        std::vector<slot> old(slots_.size() * 2);
        old.swap(slots_);
        shift_ = shift_of(slots_.size());
        for (slot const& s : old) {
            if (s.rank != no_merge) slots_[place(s.key)] = s;
        }
    }

    std::vector<slot> slots_;
    unsigned shift_;
    std::size_t size_ = 0;
};

}  // namespace detail

}  // namespace tenet
