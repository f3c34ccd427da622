// SPDX-License-Identifier: MIT
// simd: the transpose of a square of elements, one row a register, by swapping blocks of 1, 2, 4, ... elements between
// registers (Eklundh's method): log2(n) steps.
#pragma once

#include <cstddef>
#include <cstring>
#include <utility>

#include <tenet/simd/bits.hpp>

namespace tenet::simd {

/// Rows and columns of the square that `transpose_square<T>` turns; T has 4 or 8 bytes.
template <class T>
inline constexpr std::size_t transpose_size = sizeof(T) == 4 ? width<float> : width<double>;

namespace detail {

template <std::size_t Step, class Vector, std::size_t... Lane>
TENET_INLINE void swap_blocks(Vector& a, Vector& b, std::index_sequence<Lane...>) {
    constexpr std::size_t n = sizeof...(Lane);
    const Vector upper = __builtin_shufflevector(a, b, (Lane & Step ? n + Lane - Step : Lane)...);
    b = __builtin_shufflevector(a, b, (Lane & Step ? n + Lane : Lane + Step)...);
    a = upper;
}

template <std::size_t Step, class Vector, std::size_t N>
TENET_INLINE void swap_all_blocks(Vector (&rows)[N]) {
    if constexpr (Step < N) {
        TENET_UNROLL
        for (std::size_t i = 0; i < N / 2; ++i) {
            const std::size_t r = (i / Step) * 2 * Step + i % Step;
            swap_blocks<Step>(rows[r], rows[r + Step], std::make_index_sequence<N>{});
        }
        swap_all_blocks<2 * Step>(rows);
    }
}

}  // namespace detail

/// to[j * to_stride + i] = from[i * from_stride + j] for i, j < transpose_size<T>; strides in elements.
template <class T>
TENET_INLINE void transpose_square(T const* from, std::ptrdiff_t from_stride, T* to, std::ptrdiff_t to_stride) {
    constexpr std::size_t n = transpose_size<T>;
    detail::vector_of<T, n> rows[n];
    TENET_UNROLL
    for (std::size_t i = 0; i < n; ++i)
        std::memcpy(&rows[i], from + static_cast<std::ptrdiff_t>(i) * from_stride, sizeof rows[i]);
    detail::swap_all_blocks<1>(rows);
    TENET_UNROLL
    for (std::size_t i = 0; i < n; ++i)
        std::memcpy(to + static_cast<std::ptrdiff_t>(i) * to_stride, &rows[i], sizeof rows[i]);
}

}  // namespace tenet::simd
