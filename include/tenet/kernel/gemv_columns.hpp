// SPDX-License-Identifier: MIT
// kernel: a matrix times a vector where what one result needs lies together, y = W x: a dot product a row. Memory is
// the limit: rows are read one after the other, as one stream with a prefetch ahead; only their lanes are added up
// together, as many rows at a time as a register has lanes.
#pragma once

#include <algorithm>
#include <cstddef>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm_dots.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/simd/batch.hpp>

namespace tenet::kernel::detail {

/// Bytes ahead of what is read that are prefetched.
inline constexpr std::size_t stream_ahead = 4096;

/// Elements of a row that are worth a part of a loop.
inline constexpr std::size_t dots_grain = std::size_t{1} << 15;

/// Rows of plain numbers, `stride` elements apart; `x` is the vector.
template <class T>
struct plain_dots {
    T const* data;
    std::ptrdiff_t stride;
    T const* x;

    /// Lanes whose sum is x . (row j), of k numbers.
    TENET_INLINE simd::batch<T> row(std::size_t j, std::size_t k) const {
        using batch = simd::batch<T>;
        constexpr std::size_t width = simd::width<T>, chains = 4;
        T const* const y = data + static_cast<std::ptrdiff_t>(j) * stride;
        batch sum[chains] = {batch(T{0}), batch(T{0}), batch(T{0}), batch(T{0})};
        std::size_t i = 0;
        for (; i + chains * width <= k; i += chains * width) {
            TENET_UNROLL
            for (std::size_t c = 0; c < chains; ++c) {
                __builtin_prefetch(y + i + c * width + stream_ahead / sizeof(T));
                sum[c] = simd::fma<T>(batch::load_unaligned(x + i + c * width),
                                      batch::load_unaligned(y + i + c * width), sum[c]);
            }
        }
        for (; i + width <= k; i += width)
            sum[0] = simd::fma<T>(batch::load_unaligned(x + i), batch::load_unaligned(y + i), sum[0]);
        if (i < k)
            sum[1] = simd::fma<T>(simd::load_partial<T>(x + i, k - i), simd::load_partial<T>(y + i, k - i), sum[1]);
        return (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
};

/// out[r] = x . (row first + r) for `count` rows, at most as many as a register has lanes. Rows with a `preparation`
/// are prepared together.
template <class Rows, class T>
[[gnu::flatten, gnu::noinline]] void dot_some_rows(Rows const& given, std::size_t first, std::size_t count,
                                                   std::size_t k, T* out) {
    constexpr std::size_t width = simd::width<T>;
    const Rows rows = given;  // a copy, which no store can change
    simd::batch<T> sums[width];
    if constexpr (requires { typename Rows::preparation; }) {
        typename Rows::preparation prepared;
        rows.prepare(first, count, k, prepared);
        for (std::size_t r = 0; r < width; ++r)
            sums[r] = r < count ? rows.row(first, r, k, prepared) : simd::batch<T>(T{0});
    } else {
        for (std::size_t r = 0; r < width; ++r) sums[r] = r < count ? rows.row(first + r, k) : simd::batch<T>(T{0});
    }
    alignas(64) T all[width];
    store_sums<T, width>(sums, all);
    std::copy_n(all, count, out);
}

/// done(j, x . (row j)) for n rows, which threads share out.
template <class T, class Rows, class Done>
void dot_all_rows(Rows const& rows, std::size_t n, std::size_t k, Done const& done) {
    constexpr std::size_t width = simd::width<T>;
    const std::size_t grain = round_up(std::max<std::size_t>(1, dots_grain / std::max<std::size_t>(1, k)), width);
    parallel_for(n, grain, [&](std::size_t begin, std::size_t end) {
        T sums[width];
        for (std::size_t j = begin; j < end; j += width) {
            const std::size_t count = std::min(width, end - j);
            dot_some_rows(rows, j, count, k, sums);
            for (std::size_t r = 0; r < count; ++r) done(j + r, sums[r]);
        }
    });
}

}  // namespace tenet::kernel::detail
