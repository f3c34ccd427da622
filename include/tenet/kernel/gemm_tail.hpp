// SPDX-License-Identifier: MIT
// kernel: the few columns of a matrix product that would fill only a small part of a register: as products of a and a
// single column, whose lanes run along k or along the rows of a, whichever is contiguous.
#pragma once

#include <cstddef>
#include <cstring>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm_tile.hpp>
#include <tenet/simd/batch.hpp>
#include <tenet/simd/bits.hpp>
#include <tenet/simd/reduce.hpp>

namespace tenet::kernel::detail {

/// The most columns that count as few.
inline constexpr std::size_t most_tail = 4;

/// A register's worth of elements, of which `n` exist; not inlined, for it is long and rarely used.
template <class T>
[[gnu::noinline]] void copy_padded(T const* p, std::size_t n, T* lanes) {
    for (std::size_t i = 0; i < simd::width<T>; ++i) lanes[i] = i < n ? p[i] : T{0};
}

/// sums[i * sums_step] = the sum over k of a[i * row + k] b[k], for Rows rows.
template <std::size_t Rows, class T>
[[gnu::noinline]] void tail_along_k(T const* a, std::ptrdiff_t row, std::size_t k, T const* b, T* sums,
                                    std::size_t sums_step) {
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>;
    batch sum[Rows];
    TENET_UNROLL
    for (std::size_t i = 0; i < Rows; ++i) sum[i] = batch(T{0});
    std::size_t s = 0;
    for (; s + width <= k; s += width) {
        const batch x = batch::load_unaligned(b + s);
        TENET_UNROLL
        for (std::size_t i = 0; i < Rows; ++i)
            sum[i] = simd::fma<T>(batch::load_unaligned(a + static_cast<std::ptrdiff_t>(i) * row + s), x, sum[i]);
    }
    if (s < k) {
        alignas(64) T x[width], y[width];
        copy_padded(b + s, k - s, x);
        TENET_UNROLL
        for (std::size_t i = 0; i < Rows; ++i) {
            copy_padded(a + static_cast<std::ptrdiff_t>(i) * row + s, k - s, y);
            sum[i] = simd::fma<T>(batch::load_aligned(y), batch::load_aligned(x), sum[i]);
        }
    }
    for (std::size_t i = 0; i < Rows; ++i) sums[i * sums_step] = simd::reduce_add<T>(sum[i]);
}

/// The same for rows that are contiguous: a[k * step + i]. Four sums a row, so that additions need not wait.
template <std::size_t Rows, class T>
[[gnu::noinline]] void tail_along_rows(T const* a, std::ptrdiff_t step, std::size_t k, T const* b, T* sums,
                                       std::size_t sums_step) {
    using vector = simd::detail::vector_of<T, Rows>;
    vector sum[4] = {}, x;
    std::size_t s = 0;
    for (; s + 4 <= k; s += 4) {
        TENET_UNROLL
        for (std::size_t q = 0; q < 4; ++q, a += step) {
            std::memcpy(&x, a, sizeof x);
            sum[q] = x * b[s + q] + sum[q];
        }
    }
    for (; s < k; ++s, a += step) {
        std::memcpy(&x, a, sizeof x);
        sum[0] = x * b[s] + sum[0];
    }
    const vector total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    for (std::size_t i = 0; i < Rows; ++i) sums[i * sums_step] = total[i];
}

/// One column of up to `tile_rows` rows of a, of strides (row, step): step is 1 if the lanes run along k, else row is.
/// The order of additions depends on k and on that alone.
template <class T>
void tail_column(bool along_k, T const* a, std::ptrdiff_t row, std::ptrdiff_t step, std::size_t rows, std::size_t k,
                 T const* b, T* sums, std::size_t sums_step) {
    constexpr std::size_t most = tile_rows<T>;
    if (along_k) {
        if (rows == most) return tail_along_k<most>(a, row, k, b, sums, sums_step);
        for (std::size_t i = 0; i < rows; ++i)
            tail_along_k<1>(a + static_cast<std::ptrdiff_t>(i) * row, row, k, b, sums + i * sums_step, sums_step);
        return;
    }
    if constexpr (most == 8) {
        if (rows == most) return tail_along_rows<most>(a, step, k, b, sums, sums_step);
    }
    for (std::size_t i = 0; i < rows; ++i) {
        T sum[4] = {};
        std::size_t s = 0;
        for (; s + 4 <= k; s += 4)
            for (std::size_t q = 0; q < 4; ++q)
                sum[q] =
                    a[static_cast<std::ptrdiff_t>(i) * row + static_cast<std::ptrdiff_t>(s + q) * step] * b[s + q] +
                    sum[q];
        for (; s < k; ++s)
            sum[0] = a[static_cast<std::ptrdiff_t>(i) * row + static_cast<std::ptrdiff_t>(s) * step] * b[s] + sum[0];
        sums[i * sums_step] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
}

}  // namespace tenet::kernel::detail
