// SPDX-License-Identifier: MIT
// kernel: what the normalisations share: squares, and the sums over rows of their backward (for gamma and beta), in
// fixed chunks of rows into a buffer each, added in order, so that bits do not depend on the number of threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <tenet/kernel/row.hpp>

namespace tenet::kernel::detail {

/// A scalar or pointer that takes no part in deducing T, so that `1e-5` or `nullptr` may be passed.
template <class T>
using same_as = std::type_identity_t<T>;

/// x * x, which the compiler does not join with a sum that it is added to: it would in some loops and not in others.
template <class T>
TENET_INLINE batch<T> square_alone(batch<T> const& x) {
    return simd::fma<T>(x, x, batch<T>(T{0}));
}

/// Into how many chunks rows are divided: by their number alone.
constexpr std::size_t row_chunks(std::size_t rows) {
    return std::clamp<std::size_t>(rows / 8, 1, 16);
}

/// rows_of(first, last, sums) for each chunk of rows, `sums` being a zeroed buffer of `width` elements of `workspace`.
template <class T, class F>
void for_row_chunks(std::size_t rows, std::size_t work, std::size_t width, T* workspace, F const& rows_of) {
    const std::size_t chunks = row_chunks(rows), size = (rows + chunks - 1) / chunks;
    const std::size_t grain = std::max<std::size_t>(1, parallel_work / std::max<std::size_t>(1, size * work));
    parallel_for(chunks, grain, [&](std::size_t first, std::size_t last) {
        for (std::size_t c = first; c < last; ++c) {
            T* const sums = workspace + c * width;
            std::fill_n(sums, width, T{0});
            rows_of(std::min(rows, c * size), std::min(rows, (c + 1) * size), sums);
        }
    });
}

/// out[j] = the sum over chunks of their sums[j], in order; `width` is that of `for_row_chunks`.
template <class T>
void add_row_chunks(std::size_t rows, std::size_t width, T const* sums, T* out, std::size_t n) {
    const std::size_t chunks = row_chunks(rows);
    for_vectors<T>(n, [=](std::size_t j, auto t) {
        batch<T> sum = load(sums + j, t);
        for (std::size_t c = 1; c < chunks; ++c) sum = adding<T>::apply(sum, load(sums + c * width + j, t));
        store<T>(sum, out + j, t);
    });
}

}  // namespace tenet::kernel::detail
