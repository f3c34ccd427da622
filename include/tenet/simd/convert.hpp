// SPDX-License-Identifier: MIT
// simd: registers of float and double from and to memory of other element types: masks, indices, the other precision.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include <tenet/simd/bf16.hpp>
#include <tenet/simd/bits.hpp>
#include <tenet/simd/compare.hpp>

namespace tenet::simd {

namespace detail {

// A bool lies in memory as a byte that is 0 or 1.
template <class S>
using stored_as = std::conditional_t<std::is_same_v<S, bool>, std::uint8_t, S>;

// Bytes as integers with their sign. g++ 12 converts them one by one: it widens vectors to twice their size only.
template <std::size_t N, class Bytes>
TENET_INLINE vector_of<std::int32_t, N> widened_bytes(Bytes const& bytes) {
    if constexpr (N < 4) {
        return __builtin_convertvector(bytes, vector_of<std::int32_t, N>);
    } else {
        // Every lane gets the word that holds its byte, which is then moved to the top, and down again. Filled by
        // eight bytes: of single words g++ makes a detour through memory.
        using integers = vector_of<std::int32_t, N>;
        constexpr std::size_t parts = (N + 7) / 8;
        std::array<std::int64_t, parts> words{};
        std::memcpy(&words, &bytes, N);
        const auto few = [&]<std::size_t... Part>(std::index_sequence<Part...>) {
            const vector_of<std::int64_t, N / 2> v = {(Part < parts ? words[Part % parts] : 0)...};
            return std::bit_cast<integers>(v);
        }(std::make_index_sequence<N / 2>{});
        return [&]<int... Lane>(std::integer_sequence<int, Lane...>) {
#if defined(__clang__)
            const integers own = __builtin_shufflevector(few, few, (Lane / 4)...);
#else
            const integers own = __builtin_shuffle(few, integers{(Lane / 4)...});
#endif
            return integers(integers(own << integers{(24 - Lane % 4 * 8)...}) >> 24);
        }(std::make_integer_sequence<int, static_cast<int>(N)>{});
    }
}

template <class T, class S>
TENET_INLINE batch<T> widen(vector_of<stored_as<S>, width<T>> const& v) {
    if constexpr (sizeof(S) == 1) {
        return from_vector<T>(lanes_of<T>(__builtin_convertvector(widened_bytes<width<T>>(v), lanes_of<T>)));
    } else {
        return from_vector<T>(lanes_of<T>(__builtin_convertvector(v, lanes_of<T>)));
    }
}

// Into memory, not as a value: a vector wider than the registers changes how functions return it.
template <class T, class S>
TENET_INLINE void store_narrowed(batch<T> const& x, S* p) {
    using Stored = vector_of<stored_as<S>, width<T>>;
    if constexpr (std::is_same_v<S, bool>) {
        const bits_of<T> ones = (to_lanes<T>(x) != lanes_of<T>{}) & 1;
        const Stored v = __builtin_convertvector(ones, Stored);
        std::memcpy(p, &v, sizeof v);
    } else {
        const Stored v = __builtin_convertvector(to_lanes<T>(x), Stored);
        std::memcpy(p, &v, sizeof v);
    }
}

}  // namespace detail

/// `width<T>` elements at `p`, each converted to T. S: float, double, std::int8_t, std::int32_t, std::int64_t or bool.
template <class T, class S>
TENET_INLINE batch<T> load_as(S const* p) {
    if constexpr (std::is_same_v<S, T>) {
        return batch<T>::load_unaligned(p);
    } else {
        detail::vector_of<detail::stored_as<S>, width<T>> v;
        std::memcpy(&v, p, sizeof v);
        return detail::widen<T, S>(v);
    }
}

/// The first `n` elements at `p` (n <= width), converted; the other lanes zero.
template <class T, class S>
TENET_INLINE batch<T> load_as_partial(S const* p, std::size_t n) {
    if constexpr (std::is_same_v<S, T>) {
        return load_partial<T>(p, n);
    } else {
        S lanes[width<T>] = {};
        for (std::size_t i = 0; i < n; ++i) lanes[i] = p[i];
        return load_as<T, S>(lanes);
    }
}

/// `width<T>` elements at `p`, the upper 16 bits of floats each.
template <class T>
TENET_INLINE batch<T> load_bfloat16(std::uint16_t const* p) {
    constexpr std::size_t n = width<T>;
    detail::vector_of<std::uint16_t, n> v;
    std::memcpy(&v, p, sizeof v);
    const auto bits = __builtin_convertvector(v, detail::vector_of<std::uint32_t, n>) << 16;
    const auto numbers = std::bit_cast<detail::vector_of<float, n>>(bits);
    return detail::from_vector<T>(detail::lanes_of<T>(__builtin_convertvector(numbers, detail::lanes_of<T>)));
}

/// Writes the lanes to `p`, each converted to S: integers truncate towards zero, bool is "not zero", bfloat16 rounds.
/// A value that S cannot hold is unspecified, as in C++.
template <class T, class S>
TENET_INLINE void store_from(batch<T> const& x, S* p) {
    if constexpr (std::is_same_v<S, T>) {
        x.store_unaligned(p);
    } else if constexpr (std::is_same_v<S, bfloat16>) {
        store_bf16(x, p);
    } else {
        detail::store_narrowed<T, S>(x, p);
    }
}

/// Writes the first `n` lanes to `p` (n <= width), converted.
template <class T, class S>
TENET_INLINE void store_from_partial(batch<T> const& x, S* p, std::size_t n) {
    if constexpr (std::is_same_v<S, T>) {
        store_partial<T>(x, p, n);
    } else {
        S lanes[width<T>];
        store_from<T, S>(x, lanes);
        for (std::size_t i = 0; i < n; ++i) p[i] = lanes[i];
    }
}

}  // namespace tenet::simd
