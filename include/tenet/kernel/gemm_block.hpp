// SPDX-License-Identifier: MIT
// kernel: one thread's share of a matrix product. A block of b (packed, about half the L2 cache) is swept by row
// panels of a (in the L1 cache), one register tile after another; k is split only when a panel of a would leave L1.
#pragma once

#include <algorithm>
#include <cstddef>

#include <tenet/kernel/gemm_pack.hpp>
#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/kernel/gemm_tile.hpp>
#include <tenet/simd/batch.hpp>

namespace tenet::kernel::detail {

template <class T>
class gemm_block {
    using batch = simd::batch<T>;
    static constexpr std::size_t width = simd::width<T>;

    gemm_problem<T> const& p_;
    gemm_workspace& space_ = workspace();
    T* const packed_b_ = reinterpret_cast<T*>(space_.b);
    T* const packed_a_ = reinterpret_cast<T*>(space_.a);
    T* const buffer_ = reinterpret_cast<T*>(space_.c);
    std::size_t k0_ = 0, kc_ = 0, j0_ = 0, nc_ = 0;
    bool b_in_place_ = false, accumulate_ = false;

    enum class a_source { in_place, rows, steps };

    /// Lines that tiles prefetch: call number x starts at first + x * call.
    struct prefetch_plan {
        T const* first;
        std::ptrdiff_t call, step, skip;
        std::size_t calls;
        bool far;
    };
    static constexpr std::ptrdiff_t line = 64 / sizeof(T);

    /// One row panel of `rows` rows from row `i` against the block of b.
    /// `next` is what of a is read after this panel, prefetched in halves by the first two tiles.
    void sweep(std::size_t i, std::size_t rows, T const* a, std::ptrdiff_t a_row, std::ptrdiff_t a_step,
               prefetch_plan const& next) {
        tile_arguments<T> t{};
        t.a = a;
        t.a_row = a_row;
        t.a_step = a_step;
        t.k = kc_;
        matrix_view<T> const& c = p_.c;
        T* const c_panel = c.data + static_cast<std::ptrdiff_t>(i) * c.row_stride;
        std::size_t registers = 0, call = 0;
        for (std::size_t j = 0; j < nc_; j += registers * width) {
            const std::size_t left = nc_ - j;
            registers = panel_registers<T>((left + width - 1) / width);
            const std::size_t columns = std::min(left, registers * width);
            if (b_in_place_ && columns == registers * width) {
                t.b = b_at(j);
                t.b_step = p_.b.row_stride;
            } else {
                t.b = packed_b_ + (b_in_place_ ? 0 : j * kc_);
                t.b_step = static_cast<std::ptrdiff_t>(registers * width);
            }
            T* const c_tile = c_panel + static_cast<std::ptrdiff_t>(j0_ + j) * c.column_stride;
            t.next = next.first + static_cast<std::ptrdiff_t>(std::min(call, next.calls)) * next.call;
            t.next_step = call < next.calls ? next.step : 0;
            t.next_skip = call < next.calls ? next.skip : 0;
            t.next_far = next.far;
            ++call;
            tile_function<T> const tile = find_tile<T>(rows, registers);
            if (c.column_stride == 1) {
                t.c = c_tile;
                t.c_row = c.row_stride;
                t.tail = columns % width;
                t.accumulate = accumulate_;
                tile(t);
            } else {
                t.c = buffer_;
                t.c_row = static_cast<std::ptrdiff_t>(registers * width);
                t.tail = 0;
                t.accumulate = false;
                tile(t);
                scatter(c_tile, rows, columns, registers * width);
            }
        }
    }

    void scatter(T* c, std::size_t rows, std::size_t columns, std::size_t buffer_row) const {
        for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t j = 0; j < columns; ++j) {
                T& to = c[static_cast<std::ptrdiff_t>(i) * p_.c.row_stride +
                          static_cast<std::ptrdiff_t>(j) * p_.c.column_stride];
                T const x = buffer_[i * buffer_row + j];
                to = accumulate_ ? to + x : x;
            }
    }

    T const* b_at(std::size_t j) const {
        return p_.b.data + static_cast<std::ptrdiff_t>(k0_) * p_.b.row_stride +
               static_cast<std::ptrdiff_t>(j0_ + j) * p_.b.column_stride;
    }

    /// Packs the block of b; of a block read in place, only a last panel that is not whole registers.
    void pack_b() {
        if (!b_in_place_ && p_.b.column_stride == 1) return pack_rows(b_at(0), p_.b.row_stride, kc_, nc_, packed_b_);
        std::size_t registers = 0;
        for (std::size_t j = 0; j < nc_; j += registers * width) {
            const std::size_t left = nc_ - j;
            registers = panel_registers<T>((left + width - 1) / width);
            const std::size_t columns = std::min(left, registers * width);
            if (b_in_place_ && columns == registers * width) continue;
            pack_panel(b_at(j), p_.b.row_stride, p_.b.column_stride, kc_, columns, registers * width,
                       packed_b_ + (b_in_place_ ? 0 : j * kc_));
        }
    }

    /// A panel is read once per column panel: copying pays from the second on, where its strides are unkind to L1.
    a_source source_of_a() const {
        const std::size_t panels = (nc_ + tile_columns<T> - 1) / tile_columns<T>;
        if (panels <= 1 || p_.in_place) return a_source::in_place;
        if (p_.a.column_stride != 1) return a_source::steps;
        const std::size_t stride = static_cast<std::size_t>(p_.a.row_stride) * sizeof(T);
        return stride % 1024 == 0 && kc_ * sizeof(T) >= 512 ? a_source::rows : a_source::in_place;
    }

    void sweep_rows() {
        T const* const a = p_.a.data + static_cast<std::ptrdiff_t>(k0_) * p_.a.column_stride;
        const a_source source = source_of_a();
        constexpr std::size_t tile = tile_rows<T>;
        const std::size_t stride = kc_ + 64 / sizeof(T);  // off the power of two
        const std::size_t group = source == a_source::steps ? a_rows : tile;
        const auto row = p_.a.row_stride, column = p_.a.column_stride;
        for (std::size_t i0 = 0; i0 < p_.m; i0 += group) {
            const std::size_t rows = std::min(group, p_.m - i0);
            T const* const from = a + static_cast<std::ptrdiff_t>(i0) * row;
            const bool more = i0 + 2 * group <= p_.m;
            T const* const then = from + static_cast<std::ptrdiff_t>(group) * row;
            switch (source) {
            case a_source::in_place: sweep(i0, rows, from, row, column, rows_ahead(then, more && column == 1)); break;
            case a_source::rows:
                copy_rows(from, row, rows, kc_, packed_a_, static_cast<std::ptrdiff_t>(stride));
                sweep(i0, rows, packed_a_, static_cast<std::ptrdiff_t>(stride), 1, rows_ahead(then, more));
                break;
            case a_source::steps:
                pack_steps(from, row, column, rows, kc_, packed_a_);
                for (std::size_t i = 0; i < rows; i += tile) {
                    const std::size_t here = std::min(tile, rows - i);
                    sweep(i0 + i, here, packed_a_ + i * kc_, 1, static_cast<std::ptrdiff_t>(here),
                          steps_ahead(then, i, more && row == 1));
                }
            }
        }
    }

    /// The next panel of a row-major a: 4 rows in the first call, the rest in the second.
    prefetch_plan rows_ahead(T const* then, bool exists) const {
        if (!exists) return {p_.a.data, 0, 0, 0, 0, false};
        return {then, 4 * p_.a.row_stride, p_.a.row_stride, line - 4 * p_.a.row_stride, 2, false};
    }

    /// Of the next group of a transposed a, the share of the tile at row `i`: some lines of each k, a quarter of k a
    /// call.
    prefetch_plan steps_ahead(T const* then, std::size_t i, bool exists) const {
        if (!exists) return {p_.a.data, 0, 0, 0, 0, false};
        const std::size_t half = i / tile_rows<T>;  // two tiles share a line
        const auto quarter = static_cast<std::ptrdiff_t>(kc_ / 16 * 4) * p_.a.column_stride;
        return {
            then + static_cast<std::ptrdiff_t>(half / 2) * line + static_cast<std::ptrdiff_t>(half % 2) * 2 * quarter,
            quarter,
            p_.a.column_stride,
            0,
            2,
            true};
    }

public:
    explicit gemm_block(gemm_problem<T> const& p) : p_(p) {}

    [[gnu::noinline]] void run() {
        const std::size_t kc = block_of_k<T>(p_.k);
        // Packing costs about two moves a register, use saves misses: not worth it for few rows or a b that fits L2.
        b_in_place_ = p_.in_place ||
                      (p_.b.column_stride == 1 && (p_.m <= 2 * tile_rows<T> || p_.k * p_.n * sizeof(T) <= b_bytes / 2));
        const std::size_t nc =
            even_part(p_.n, b_bytes / sizeof(T) / kc / tile_columns<T> * tile_columns<T>, tile_columns<T>);
        for (j0_ = 0; j0_ < p_.n; j0_ += nc) {
            nc_ = std::min(nc, p_.n - j0_);
            for (k0_ = 0; k0_ < p_.k; k0_ += kc) {
                kc_ = std::min(kc, p_.k - k0_);
                accumulate_ = p_.accumulate || k0_ != 0;
                pack_b();
                sweep_rows();
            }
        }
    }
};

}  // namespace tenet::kernel::detail
