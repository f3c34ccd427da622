// SPDX-License-Identifier: MIT
// text: from a token's bytes to its id: an open hash table whose slots hold the first eight bytes, so that most
// look-ups touch one cache line.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenet::detail {

// Up to eight bytes as a number, never reading past them.
inline std::uint64_t load_bytes(char const* p, std::size_t n) {
    std::uint64_t wide = 0;
    if (n >= 8) {
        std::memcpy(&wide, p, 8);
    } else if (n >= 4) {
        std::uint32_t low, high;
        std::memcpy(&low, p, 4);
        std::memcpy(&high, p + n - 4, 4);
        wide = std::uint64_t{low} | std::uint64_t{high} << (8 * (n - 4));
    } else {
        for (std::size_t i = 0; i < n; ++i) wide |= std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i);
    }
    return wide;
}

inline std::uint64_t mix_bits(std::uint64_t h) {
    h = (h ^ (h >> 32)) * 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
}

inline std::uint64_t hash_text(std::string_view text) {
    std::uint64_t h = mix_bits(load_bytes(text.data(), text.size()) + text.size());
    for (std::size_t i = 8; i < text.size(); i += 8) {
        h = mix_bits(h * 3 + load_bytes(text.data() + i, text.size() - i));
    }
    return h * 0xd6e8feb86659fd93u;
}

/// Byte strings to ids. Borrows nothing: look-ups are given the strings that ids stand for.
class token_map {
public:
    /// Room for `count` tokens.
    explicit token_map(std::size_t count = 0)
        : slots_(std::bit_ceil(std::max<std::size_t>(8, count * 2))),
          shift_(static_cast<unsigned>(std::countl_zero(slots_.size()) + 1)) {}

    /// The id of `bytes`, if it has one.
    std::optional<std::int32_t> find(std::string_view bytes, std::span<std::string const> tokens) const {
        if (bytes.size() > longest_) return std::nullopt;
        const slot& s = slots_[place(bytes, tokens)];
        if (s.length == 0) return std::nullopt;
        return s.id;
    }

    /// Adds tokens[id], which must not be empty. False, and nothing changes, if an equal token is there.
    bool insert(std::int32_t id, std::span<std::string const> tokens) {
        std::string_view const bytes = tokens[static_cast<std::size_t>(id)];
        longest_ = std::max(longest_, bytes.size());
        slot& s = slots_[place(bytes, tokens)];
        if (s.length != 0) return false;
        s = {load_bytes(bytes.data(), bytes.size()), static_cast<std::uint32_t>(bytes.size()), id};
        return true;
    }

    /// Bytes of the longest token.
    std::size_t longest() const { return longest_; }

private:
    struct slot {
        std::uint64_t head = 0;
        std::uint32_t length = 0;  // 0: free
        std::int32_t id = 0;
    };

    // Where `bytes` is, or the free slot where it belongs.
    std::size_t place(std::string_view bytes, std::span<std::string const> tokens) const {
        const std::uint64_t head = load_bytes(bytes.data(), bytes.size());
        std::size_t i = hash_text(bytes) >> shift_;
        for (;; i = (i + 1) & (slots_.size() - 1)) {
            slot const& s = slots_[i];
            if (s.length == 0) return i;
            if (s.head != head || s.length != bytes.size()) continue;
            if (bytes.size() <= 8 ||
                std::memcmp(bytes.data() + 8, tokens[static_cast<std::size_t>(s.id)].data() + 8, bytes.size() - 8) == 0)
                return i;
        }
    }

    std::vector<slot> slots_;
    unsigned shift_;
    std::size_t longest_ = 0;
};

}  // namespace tenet::detail
