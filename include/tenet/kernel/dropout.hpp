// SPDX-License-Identifier: MIT
// kernel: the random numbers of dropout, as functions of their place: (key, index), by a cheap hash in registers, so
// that neither threads nor partitions nor the width of registers change what is dropped.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#include <tenet/base/macros.hpp>
#include <tenet/simd/batch.hpp>
#include <tenet/simd/bits.hpp>

namespace tenet::kernel {

/// The key of one dropout: every place where a model drops anything, at every step, has another.
constexpr std::uint64_t dropout_key(std::uint64_t seed, std::uint64_t step, std::uint64_t operation,
                                    std::uint64_t layer) {
    // splitmix64's finaliser after each word.
    std::uint64_t key = 0;
    for (std::uint64_t word : {seed, step, operation, layer}) {
        key = (key ^ word) + 0x9e3779b97f4a7c15u;
        key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
        key = (key ^ key >> 27) * 0x94d049bb133111ebu;
        key ^= key >> 31;
    }
    return key;
}

namespace detail {

// A 32-bit mix with little bias, twice, with half of the key before each; Words is an integer or a vector of them.
template <class Words>
TENET_INLINE Words dropout_bits(Words low, Words high, std::uint64_t key) {
    const auto mix = [](Words& x) {
        x = (x ^ x >> 16) * std::uint32_t{0x21f0aaadu};
        x = (x ^ x >> 15) * std::uint32_t{0x735a2d97u};
        x = x ^ x >> 15;
    };
    Words x = low ^ static_cast<std::uint32_t>(key);
    mix(x);
    x = x ^ static_cast<std::uint32_t>(key >> 32) ^ high * std::uint32_t{0x9e3779b1u};
    mix(x);
    return x >> 8;
}

inline constexpr std::uint32_t lane_words[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

}  // namespace detail

/// The uniform number in [0, 1), of 24 bits, at `index` of a dropout.
inline float dropout_uniform_at(std::uint64_t key, std::uint64_t index) {
    const std::uint32_t bits =
        detail::dropout_bits(static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), key);
    return static_cast<float>(bits) * 0x1p-24f;
}

/// dropout_uniform_at(key, first_index + lane) in each lane: the same for every width of registers, and in both types.
template <class T>
TENET_INLINE simd::batch<T> dropout_uniform(std::uint64_t key, std::uint64_t first_index) {
    constexpr std::size_t width = simd::width<T>;
    if constexpr (width < 4) {
        T lanes[width];
        for (std::size_t i = 0; i < width; ++i) lanes[i] = static_cast<T>(dropout_uniform_at(key, first_index + i));
        return simd::batch<T>::load_unaligned(lanes);
    } else {
        using Words = simd::detail::vector_of<std::uint32_t, width>;
        Words lane;
        std::memcpy(&lane, detail::lane_words, sizeof lane);
        const Words low = lane + static_cast<std::uint32_t>(first_index);
        // All ones, that is -1, where the lower half has wrapped round.
        const Words carry = std::bit_cast<Words>(low < lane);
        const Words high = static_cast<std::uint32_t>(first_index >> 32) - carry;
        const Words bits = detail::dropout_bits<Words>(low, high, key);
        return simd::detail::from_integers<T>(bits) * simd::batch<T>(T(0x1p-24));
    }
}

}  // namespace tenet::kernel
