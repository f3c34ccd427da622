// SPDX-License-Identifier: MIT
// kernel: what the tiles of a matrix product prefetch: the rows of a that come next, into L1 or L2, and the block of b
// that is packed next, into L2. Each tile brings in a share of it, some lines between its multiplications.
#pragma once

#include <algorithm>
#include <cstddef>

#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/kernel/gemm_tile.hpp>

namespace tenet::kernel::detail {

/// Elements of a cache line.
template <class T>
inline constexpr std::ptrdiff_t line = 64 / sizeof(T);

/// Lines of a: tile number x of a row panel, x < calls, starts at first + x * call.
template <class T>
struct prefetch_plan {
    T const* first;
    std::ptrdiff_t call, step, skip;
    std::size_t calls;
    bool far;

    void plan(tile_arguments<T>& t, std::size_t x) const {
        t.next = first + static_cast<std::ptrdiff_t>(std::min(x, calls)) * call;
        t.next_step = x < calls ? step : 0;
        t.next_skip = x < calls ? skip : 0;
        t.next_far = far;
    }
};

/// The panel after that at row `i`, which begins at `from`, of a row-major a: 4 rows in the first call, the rest in the
/// second.
template <class T>
prefetch_plan<T> rows_ahead(gemm_problem<T> const& p, std::size_t i, T const* from) {
    constexpr std::size_t tile = tile_rows<T>;
    if (i + 2 * tile > p.m) return {p.a.data, 0, 0, 0, 0, false};
    return {from + static_cast<std::ptrdiff_t>(tile) * p.a.row_stride,
            4 * p.a.row_stride,
            p.a.row_stride,
            line<T> - 4 * p.a.row_stride,
            2,
            false};
}

/// The same of a transposed a, for `kc` steps of k: two panels share the lines of the next two; each takes half of the
/// steps, in two calls.
template <class T>
prefetch_plan<T> steps_ahead(gemm_problem<T> const& p, std::size_t i, T const* from, std::size_t kc) {
    constexpr std::size_t tile = tile_rows<T>;
    const std::size_t half = i / tile % 2;
    if (p.a.row_stride != 1 || i + (4 - half) * tile > p.m) return {p.a.data, 0, 0, 0, 0, false};
    const auto quarter = static_cast<std::ptrdiff_t>(kc / 16 * 4) * p.a.column_stride;
    return {from + static_cast<std::ptrdiff_t>((2 - half) * tile) + static_cast<std::ptrdiff_t>(2 * half) * quarter,
            quarter,
            p.a.column_stride,
            0,
            2,
            true};
}

/// The same of a packed a, whose panels lie behind one another, in two calls.
template <class T>
prefetch_plan<T> packed_ahead(gemm_problem<T> const& p, std::size_t i, T const* packed, std::size_t kc) {
    constexpr std::size_t tile = tile_rows<T>;
    if (i + 2 * tile > p.m) return {packed, 0, 0, 0, 0, false};
    return {packed + tile * kc, static_cast<std::ptrdiff_t>(kc / 4) * line<T>, line<T>, 0, 2, true};
}

/// A block of b, in equal shares for `tiles` tiles.
template <class T>
class far_plan {
    T const* first_ = nullptr;
    std::ptrdiff_t row_ = 0;
    std::size_t lines_ = 0, count_ = 0, tiles_ = 0, next_ = 0;

public:
    far_plan() = default;
    /// Rows [k, k + kc) and columns [j, j + nc), of a b with a stride of one.
    far_plan(matrix_view<T const> const& b, std::size_t k, std::size_t kc, std::size_t j, std::size_t nc,
             std::size_t tiles) {
        const bool along_columns = b.column_stride == 1;
        if (!along_columns && b.row_stride != 1) return;
        first_ =
            b.data + static_cast<std::ptrdiff_t>(k) * b.row_stride + static_cast<std::ptrdiff_t>(j) * b.column_stride;
        row_ = along_columns ? b.row_stride : b.column_stride;
        lines_ = ((along_columns ? nc : kc) * sizeof(T) + 63) / 64;
        count_ = (along_columns ? kc : nc) * lines_;
        tiles_ = tiles;
    }

    /// The share of the next tile.
    void plan(tile_arguments<T>& t) {
        t.far_count = 0;
        if (next_ == tiles_) return;
        const std::size_t begin = count_ * next_ / tiles_;
        t.far_count = count_ * (++next_) / tiles_ - begin;
        t.far = first_ + static_cast<std::ptrdiff_t>(begin / lines_) * row_ +
                static_cast<std::ptrdiff_t>(begin % lines_) * line<T>;
        t.far_row = row_ * std::ptrdiff_t{sizeof(T)} - static_cast<std::ptrdiff_t>(lines_ * 64);
        t.far_first = lines_ - begin % lines_;
        t.far_lines = lines_;
    }
};

}  // namespace tenet::kernel::detail
