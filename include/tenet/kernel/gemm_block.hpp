// SPDX-License-Identifier: MIT
// kernel: one thread's share of a matrix product. A block of b (about half the L2 cache) is swept by row panels of a
// (in the L1 cache), one register tile after another; k is split only when a panel of a would leave L1. What has to be
// packed is packed by the tiles that use it first.
#pragma once

#include <algorithm>
#include <cstddef>

#include <tenet/kernel/gemm_ahead.hpp>
#include <tenet/kernel/gemm_finish.hpp>
#include <tenet/kernel/gemm_pack.hpp>
#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/kernel/gemm_tail.hpp>
#include <tenet/kernel/gemm_tile.hpp>
#include <tenet/simd/batch.hpp>

namespace tenet::kernel::detail {

template <class T>
class gemm_block {
    static constexpr std::size_t width = simd::width<T>, tile = tile_rows<T>, most = tile_registers<T>;
    static constexpr std::size_t far_most_rows = 1024;

    gemm_problem<T> const& p_;
    gemm_problem<T> partial_;  ///< as p_, for the blocks of k before the last: without what must happen once
    gemm_workspace& space_ = workspace();
    T* const packed_b_ = reinterpret_cast<T*>(space_.b);
    T* const packed_a_ = reinterpret_cast<T*>(space_.a);
    T* const tail_b_ = reinterpret_cast<T*>(space_.tail);
    std::size_t k0_ = 0, kc_ = 0, j0_ = 0, nc_ = 0, n_ = 0, tail_ = 0;
    bool b_in_place_ = false, keeps_a_ = false, accumulate_ = false, last_k_ = false, only_bias_ = false;
    far_plan<T> far_{};

    enum class a_source { in_place, rows, steps };

    /// A row panel of a: where it lies, whether the first tile shall pack it.
    struct row_panel {
        std::size_t i, rows;
        T const* a;
        std::ptrdiff_t row, step;
        bool pack;
        T* packed;  ///< where to
        prefetch_plan<T> next;
    };

    bool has_epilogue() const { return p_.finish.contiguous != nullptr; }

    /// The code that finishes tiles of this block, null where tiles just store, perhaps with a bias.
    tile_finish<T> finish_for(bool whole_registers) const {
        const bool contiguous = p_.c.column_stride == 1;
        if (has_epilogue() && !(whole_registers && contiguous && only_bias_) &&
            (last_k_ || p_.finish.values.scale != T{1}))
            return contiguous ? p_.finish.contiguous : p_.finish.strided;
        if (!contiguous) return &finish_plain<T, false>;
        return whole_registers ? nullptr : &finish_plain<T, true>;
    }
    tile_results<T> results_at(std::size_t i, std::size_t j, std::size_t rows, std::size_t columns) const {
        matrix_view<T> c = p_.c;
        c.data += static_cast<std::ptrdiff_t>(i) * c.row_stride + static_cast<std::ptrdiff_t>(j) * c.column_stride;
        return {last_k_ ? &p_ : &partial_, c, i, j, rows, columns, accumulate_};
    }

    /// One row panel against the block of b.
    void sweep(row_panel panel) {
        tile_arguments<T> t{};
        t.k = kc_;
        std::size_t registers = 0, call = 0;
        for (std::size_t j = 0; j < nc_; j += registers * width, ++call) {
            const std::size_t left = nc_ - j;
            registers = panel_registers<T>((left + width - 1) / width);
            const std::size_t columns = std::min(left, registers * width);
            const bool whole = columns == registers * width, largest = panel.rows == tile && registers == most;
            const bool in_place = b_in_place_ && whole;
            T* const packed_b = packed_b_ + (b_in_place_ ? 0 : j * kc_);
            packing packs = packing::none;
            t.b = packed_b;
            t.b_step = static_cast<std::ptrdiff_t>(registers * width);
            if (in_place) {
                t.b = b_at(j);
                t.b_step = p_.b.row_stride;
                if (registers == most && p_.m <= 2 * tile && p_.k * p_.n * sizeof(T) > b_bytes) {
                    packs = packing::b_ahead;
                    t.b_then = j + registers * width < nc_ ? b_at(j + registers * width) : t.b;
                }
            } else if (panel.i == 0) {
                if (largest && whole && p_.b.column_stride == 1) {
                    packs = packing::b;
                    t.b = b_at(j);
                    t.b_step = p_.b.row_stride;
                    t.copy_b = packed_b;
                    t.b_then = j + registers * width < nc_ ? b_at(j + registers * width) : t.b;
                } else {
                    pack_panel(b_at(j), p_.b.row_stride, p_.b.column_stride, kc_, columns, registers * width, packed_b);
                }
            }
            if (panel.pack) {
                t.copy_a = panel.packed;
                if (largest && panel.row == 1) packs = packs == packing::b ? packing::both : packing::a;
                else {
                    pack_steps(panel.a, panel.row, panel.step, panel.rows, kc_, panel.packed);
                    use_packed(panel);
                }
            }
            t.a = panel.a;
            t.a_row = panel.row;
            t.a_step = panel.step;
            panel.next.plan(t, call);
            far_.plan(t);
            if (packs == packing::none && largest && t.far_count != 0) packs = packing::far;
            t.to = results_at(panel.i, j0_ + j, panel.rows, columns);
            t.finish = finish_for(whole);
            if (has_epilogue() && last_k_) {
                if (t.finish) name_streams(t);
                else t.bias = p_.finish.values.column_bias + (j0_ + j);
            }
            find_tile<T>(packs, panel.rows, registers)(t);
            if (panel.pack) use_packed(panel);
        }
        if (tail_ != 0 && j0_ + nc_ == n_) sweep_tail(panel);
    }

    /// What of b comes after this block, if packing it is a large part of the work: rows of a are few.
    void look_far(std::size_t k, std::size_t j, std::size_t kc, std::size_t nc) {
        far_ = {};
        if (b_in_place_ || p_.m > far_most_rows) return;
        const std::size_t tiles = (p_.m + tile - 1) / tile * ((nc_ + tile_columns<T> - 1) / tile_columns<T>);
        far_ = {p_.b, k, std::min(kc, p_.k - k), j, std::min(nc, n_ - j), tiles};
    }

    static void use_packed(row_panel& panel) {
        panel.a = panel.packed;
        panel.row = 1;
        panel.step = static_cast<std::ptrdiff_t>(panel.rows);
        panel.pack = false;
    }

    void name_streams(tile_arguments<T>& t) const {
        epilogue<T> const& e = p_.finish.values;
        const std::ptrdiff_t offset = t.to.c.data - p_.finish.origin;
        t.also_count = 0;
        if (e.residual) t.also[t.also_count++] = e.residual + offset;
        if (e.kept) t.also[t.also_count++] = e.kept + offset;
    }

    /// The columns after the last whole register, where they are few.
    void sweep_tail(row_panel const& panel) {
        alignas(64) T sums[tile * most_tail];
        for (std::size_t j = 0; j < tail_; ++j)
            tail_column(p_.a.column_stride == 1, panel.a, panel.row, panel.step, panel.rows, kc_, tail_b_ + j * kc_,
                        sums + j, most_tail);
        finish_for(false)(results_at(panel.i, n_, panel.rows, tail_),
                          {sums, static_cast<std::ptrdiff_t>(most_tail), 1});
    }
    void pack_tail() {
        for (std::size_t j = 0; j < tail_; ++j) {
            T const* from = p_.b.data + static_cast<std::ptrdiff_t>(k0_) * p_.b.row_stride +
                            static_cast<std::ptrdiff_t>(n_ + j) * p_.b.column_stride;
            for (std::size_t k = 0; k < kc_; ++k, from += p_.b.row_stride) tail_b_[j * kc_ + k] = *from;
        }
    }

    T const* b_at(std::size_t j) const {
        return p_.b.data + static_cast<std::ptrdiff_t>(k0_) * p_.b.row_stride +
               static_cast<std::ptrdiff_t>(j0_ + j) * p_.b.column_stride;
    }

    /// A panel is read once per column panel: copying pays from the second on, where its strides are unkind to L1.
    a_source source_of_a() const {
        const std::size_t panels = (nc_ + tile_columns<T> - 1) / tile_columns<T>;
        if (panels <= 1 || p_.in_place) return a_source::in_place;
        if (p_.a.column_stride != 1) return a_source::steps;
        const std::size_t stride = static_cast<std::size_t>(p_.a.row_stride) * sizeof(T);
        return stride % 4096 == 0 && kc_ * sizeof(T) >= 512 ? a_source::rows : a_source::in_place;
    }

    void sweep_rows() {
        const a_source source = source_of_a();
        const std::size_t stride = kc_ + 64 / sizeof(T);  // off the power of two
        const auto row = p_.a.row_stride, column = p_.a.column_stride;
        T const* from = p_.a.data + static_cast<std::ptrdiff_t>(k0_) * column;
        for (std::size_t i = 0; i < p_.m; i += tile, from += static_cast<std::ptrdiff_t>(tile) * row) {
            const std::size_t rows = std::min(tile, p_.m - i);
            row_panel panel{i, rows, from, row, column, source == a_source::steps, packed_a_, {}};
            if (keeps_a_) panel.packed = packed_a_ + i * kc_;
            if (keeps_a_ && j0_ != 0) {
                use_packed(panel);
                panel.next = packed_ahead(p_, i, panel.a, kc_);
            } else {
                panel.next = column == 1 ? rows_ahead(p_, i, from) : steps_ahead(p_, i, from, kc_);
            }
            if (source == a_source::rows) {
                copy_rows(from, row, rows, kc_, packed_a_, static_cast<std::ptrdiff_t>(stride));
                panel.a = packed_a_;
                panel.row = static_cast<std::ptrdiff_t>(stride);
            }
            sweep(panel);
        }
    }

    void choose_tail() {
        const std::size_t rest = p_.n % width;
        const bool possible = p_.a.column_stride == 1 || (p_.a.row_stride == 1 && tile == 8);
        tail_ = !p_.in_place && rest <= most_tail && possible ? rest : 0;
        n_ = p_.n - tail_;
    }

    /// A transposed a is packed once for all blocks of columns, if a block of k of it can be kept.
    bool keep_a(std::size_t kc, std::size_t nc) const {
        return !p_.in_place && n_ > nc && nc > tile_columns<T> && p_.a.column_stride != 1 &&
               round_up(p_.m, tile) * kc * sizeof(T) <= a_bytes;
    }

    /// The block at (k0_, j0_); after it comes that at (k, j).
    void run_block(std::size_t kc, std::size_t nc, std::size_t k, std::size_t j) {
        nc_ = std::min(nc, n_ - j0_);
        kc_ = std::min(kc, p_.k - k0_);
        last_k_ = k0_ + kc_ == p_.k;
        accumulate_ = p_.accumulate || k0_ != 0;
        if (j0_ + nc_ == n_) pack_tail();
        if (k < p_.k && j < n_) look_far(k, j, kc, nc);
        else far_ = {};
        sweep_rows();
    }

public:
    explicit gemm_block(gemm_problem<T> const& p) : p_(p), partial_(p) {
        epilogue<T> other = p.finish.values;
        other.column_bias = nullptr;
        only_bias_ = p.finish.values.column_bias && other.empty();
        partial_.finish.values = {};
        partial_.finish.values.scale = p.finish.values.scale;
    }

    [[gnu::noinline]] void run() {
        const std::size_t kc = block_of_k<T>(p_.k);
        // In place where b is used too seldom to pack it, or lies in L2 anyway.
        b_in_place_ =
            p_.in_place || (p_.b.column_stride == 1 && (p_.m <= 2 * tile || p_.k * p_.n * sizeof(T) <= b_bytes / 2));
        choose_tail();
        const std::size_t nc =
            even_part(n_, b_bytes / sizeof(T) / kc / tile_columns<T> * tile_columns<T>, tile_columns<T>);
        const std::size_t step = std::max(nc, width);
        if (keep_a(kc, step)) {
            keeps_a_ = true;
            for (k0_ = 0; k0_ < p_.k; k0_ += kc)
                for (j0_ = 0; j0_ < n_; j0_ += step) {
                    const bool last_j = j0_ + step >= n_;
                    run_block(kc, nc, last_j ? k0_ + kc : k0_, last_j ? 0 : j0_ + step);
                }
            return;
        }
        for (j0_ = 0; j0_ < n_ || j0_ == 0; j0_ += step)
            for (k0_ = 0; k0_ < p_.k; k0_ += kc) {
                const bool last_k = k0_ + kc >= p_.k;
                run_block(kc, nc, last_k ? 0 : k0_ + kc, last_k ? j0_ + step : j0_);
            }
    }
};

}  // namespace tenet::kernel::detail
