// SPDX-License-Identifier: MIT
// kernel: where the largest element lies, along the middle of [pre, n, post].
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenet/kernel/row.hpp>
#include <tenet/simd/convert.hpp>

namespace tenet::kernel {

namespace detail {

// The maximum first, which is fast, then the first place that holds it.
template <class T, class N>
[[gnu::flatten]] std::size_t argmax_of_row(T const* x, N n) {
    const T largest = fold<T, taking_max<T>>(n, [=](std::size_t i, auto t) { return load(x + i, t); });
    std::size_t i = 0;
    if (largest != largest) {
        while (x[i] == x[i]) ++i;
        return i;
    }
    constexpr std::size_t width = simd::width<T>;
    while (i + width <= n && !simd::any<T>(batch<T>::load_unaligned(x + i) == batch<T>(largest))) i += width;
    while (!(x[i] == largest)) ++i;
    return i;
}

// One register of columns; places are counted in T, exact up to 2^24 in float.
template <class T, class Tail>
[[gnu::flatten]] void argmax_of_columns(T const* x, std::int32_t* out, std::size_t n, std::size_t stride, Tail t) {
    batch<T> best = load(x, t), place(T{0});
    for (std::size_t i = 1; i < n; ++i) {
        const batch<T> v = load(x + i * stride, t);
        const simd::mask<T> better = (v > best) | (simd::is_nan<T>(v) & !simd::is_nan<T>(best));
        best = simd::select<T>(better, v, best);
        place = simd::select<T>(better, batch<T>(static_cast<T>(i)), place);
    }
    if constexpr (std::is_same_v<Tail, whole>) simd::store_from<T>(place, out);
    else simd::store_from_partial<T>(place, out, t.count);
}

}  // namespace detail

/// out[p, q] = the first i at which x[p, i, q] is the maximum over i; a NaN counts as the maximum, as in NumPy.
///
/// x: [pre, n, post], out: [pre, post], both contiguous; n >= 1, and below 2^24 in float where post > 1. Sizes are
/// numbers or `constant<N>`. PyTorch: x.argmax(1).
template <class T>
void argmax(T const* x, std::int32_t* out, auto pre, auto n, auto post) {
    const std::size_t rows = pre, columns = post;
    const auto length = detail::row_length<T>(n);
    if (length == 0) return;
    if (columns == 1) {
        detail::for_rows(rows, length, [=](std::size_t p) {
            out[p] = static_cast<std::int32_t>(detail::argmax_of_row(x + p * length, length));
        });
        return;
    }
    if constexpr (constant_or_zero<decltype(post)> != 1)
        detail::for_rows(rows, length * columns, [=](std::size_t p) {
            detail::for_vectors<T>(columns, [=](std::size_t q, auto t) {
                detail::argmax_of_columns(x + p * length * columns + q, out + p * columns + q, length, columns, t);
            });
        });
}

}  // namespace tenet::kernel
