// SPDX-License-Identifier: MIT
// kernel: the product of one row and a matrix, which is bound by reading the matrix: a dot product a column where
// columns are contiguous, a sum of scaled rows where rows are.
#pragma once

#include <algorithm>
#include <cstddef>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/kernel/gemm_tail.hpp>
#include <tenet/simd/batch.hpp>
#include <tenet/simd/reduce.hpp>

namespace tenet::kernel::detail {

/// out[r] = sum over i < k of x[i] rows[r * stride + i], for Rows rows; the order of additions depends on k only.
template <std::size_t Rows, class T>
[[gnu::noinline]] void dot_rows(T const* x, T const* rows, std::ptrdiff_t stride, std::size_t k, T* out) {
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>;
    batch even[Rows], odd[Rows];
    TENET_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) even[r] = odd[r] = batch(T{0});
    std::size_t i = 0;
    for (; i + 2 * width <= k; i += 2 * width) {
        const batch x0 = batch::load_unaligned(x + i), x1 = batch::load_unaligned(x + i + width);
        TENET_UNROLL
        for (std::size_t r = 0; r < Rows; ++r) {
            T const* const y = rows + static_cast<std::ptrdiff_t>(r) * stride + i;
            even[r] = simd::fma(x0, batch::load_unaligned(y), even[r]);
            odd[r] = simd::fma(x1, batch::load_unaligned(y + width), odd[r]);
        }
    }
    if (i + width <= k) {
        const batch x0 = batch::load_unaligned(x + i);
        TENET_UNROLL
        for (std::size_t r = 0; r < Rows; ++r)
            even[r] = simd::fma(x0, batch::load_unaligned(rows + static_cast<std::ptrdiff_t>(r) * stride + i), even[r]);
        i += width;
    }
    if (i < k) {
        alignas(64) T x0[width], y[width];
        copy_padded(x + i, k - i, x0);
        TENET_UNROLL
        for (std::size_t r = 0; r < Rows; ++r) {
            copy_padded(rows + static_cast<std::ptrdiff_t>(r) * stride + i, k - i, y);
            odd[r] = simd::fma(batch::load_aligned(x0), batch::load_aligned(y), odd[r]);
        }
    }
    TENET_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) out[r] = simd::reduce_add<T>(even[r] + odd[r]);
}

/// The sum over i < k of x[i] y[i], for y in memory too large for a cache: what follows y is prefetched.
template <class T>
[[gnu::noinline]] T dot_long(T const* x, T const* y, std::size_t k) {
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>, chains = 4, ahead = 4096 / sizeof(T);
    batch sum[chains];
    TENET_UNROLL
    for (std::size_t c = 0; c < chains; ++c) sum[c] = batch(T{0});
    std::size_t i = 0;
    for (; i + chains * width <= k; i += chains * width) {
        TENET_UNROLL
        for (std::size_t c = 0; c < chains; ++c) {
            __builtin_prefetch(y + i + c * width + ahead);
            sum[c] =
                simd::fma(batch::load_unaligned(x + i + c * width), batch::load_unaligned(y + i + c * width), sum[c]);
        }
    }
    for (; i + width <= k; i += width)
        sum[0] = simd::fma(batch::load_unaligned(x + i), batch::load_unaligned(y + i), sum[0]);
    if (i < k) {
        alignas(64) T last_x[width], last_y[width];
        copy_padded(x + i, k - i, last_x);
        copy_padded(y + i, k - i, last_y);
        sum[1] = simd::fma(batch::load_aligned(last_x), batch::load_aligned(last_y), sum[1]);
    }
    return simd::reduce_add<T>((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

/// Columns from here on are read one by one: one stream of memory is faster than four.
inline constexpr std::size_t long_row = 512;

/// c (+)= a b where b's columns are contiguous.
template <class T>
void row_times_columns(gemm_problem<T> const& p) {
    T* const copy = reinterpret_cast<T*>(workspace().b);
    // A strided row is copied block by block; the length of a block depends on k and the stride alone.
    const std::size_t block = p.a.column_stride == 1 ? p.k : std::min(p.k, b_bytes / sizeof(T));
    for (std::size_t k0 = 0; k0 < p.k; k0 += block) {
        const std::size_t k = std::min(block, p.k - k0);
        T const* x = p.a.data + static_cast<std::ptrdiff_t>(k0) * p.a.column_stride;
        if (p.a.column_stride != 1) {
            for (std::size_t i = 0; i < k; ++i) copy[i] = x[static_cast<std::ptrdiff_t>(i) * p.a.column_stride];
            x = copy;
        }
        const bool accumulate = p.accumulate || k0 != 0;
        const T scale = p.finish.values.scale;
        T out[4];
        for (std::size_t j = 0; j < p.n; j += 4) {
            T const* const columns = p.b.data + static_cast<std::ptrdiff_t>(j) * p.b.column_stride + k0;
            const std::size_t count = std::min(std::size_t{4}, p.n - j);
            if (k >= long_row)
                for (std::size_t r = 0; r < count; ++r)
                    out[r] = dot_long(x, columns + static_cast<std::ptrdiff_t>(r) * p.b.column_stride, k);
            else if (count == 4) dot_rows<4>(x, columns, p.b.column_stride, k, out);
            else
                for (std::size_t r = 0; r < count; ++r)
                    dot_rows<1>(x, columns + static_cast<std::ptrdiff_t>(r) * p.b.column_stride, 0, k, out + r);
            for (std::size_t r = 0; r < count; ++r) {
                T& to = p.c.data[static_cast<std::ptrdiff_t>(j + r) * p.c.column_stride];
                to = accumulate ? to + scale * out[r] : scale * out[r];
            }
        }
    }
}

/// c[j] += sum over r < Rows of factor x[r * x_stride] b[r * row + j], in the order of r.
template <std::size_t Rows, class T>
[[gnu::noinline]] void add_scaled_rows(T factor, T const* x, std::ptrdiff_t x_stride, T const* b, std::ptrdiff_t row,
                                       std::size_t n, T* c) {
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>;
    batch scale[Rows];
    TENET_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) scale[r] = batch(factor * x[static_cast<std::ptrdiff_t>(r) * x_stride]);
    std::size_t j = 0;
    for (; j + width <= n; j += width) {
        batch sum = batch::load_unaligned(c + j);
        TENET_UNROLL
        for (std::size_t r = 0; r < Rows; ++r) {
            T const* const y = b + static_cast<std::ptrdiff_t>(r) * row + j;
            sum = simd::fma(scale[r], batch::load_unaligned(y), sum);
        }
        sum.store_unaligned(c + j);
    }
    if (j < n) {
        batch sum = simd::load_partial<T>(c + j, n - j);
        TENET_UNROLL
        for (std::size_t r = 0; r < Rows; ++r)
            sum = simd::fma(scale[r], simd::load_partial<T>(b + static_cast<std::ptrdiff_t>(r) * row + j, n - j), sum);
        simd::store_partial<T>(sum, c + j, n - j);
    }
}

/// c (+)= a b where b's rows and c are contiguous: 8 rows at a time over as much of c as L1 holds.
template <class T>
void row_times_rows(gemm_problem<T> const& p) {
    constexpr std::size_t chunk = 32768 / sizeof(T);
    const T scale = p.finish.values.scale;
    for (std::size_t j = 0; j < p.n; j += chunk) {
        const std::size_t n = std::min(chunk, p.n - j);
        T* const c = p.c.data + j;
        if (!p.accumulate) std::fill(c, c + n, T{0});
        T const* b = p.b.data + j;
        T const* x = p.a.data;
        std::size_t k = 0;
        for (; k + 8 <= p.k; k += 8, b += 8 * p.b.row_stride, x += 8 * p.a.column_stride)
            add_scaled_rows<8>(scale, x, p.a.column_stride, b, p.b.row_stride, n, c);
        for (; k < p.k; ++k, b += p.b.row_stride, x += p.a.column_stride)
            add_scaled_rows<1>(scale, x, p.a.column_stride, b, p.b.row_stride, n, c);
    }
}

}  // namespace tenet::kernel::detail
