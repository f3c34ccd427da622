// SPDX-License-Identifier: MIT
// kernel: from the sums of a register tile to c: columns that do not fill a register, a c without contiguous rows, and
// epilogues. One function a kind, which every tile calls through a pointer, with its sums in the L1 cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenet/kernel/dropout.hpp>
#include <tenet/kernel/epilogue.hpp>
#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/simd/batch.hpp>
#include <tenet/simd/convert.hpp>

namespace tenet::kernel::detail {

/// Registers of elements `stride` apart; the contiguous ones are moved whole.
template <class T, bool Contiguous>
TENET_INLINE simd::batch<T> load_strided(T const* p, std::ptrdiff_t stride, std::size_t n) {
    if constexpr (Contiguous) {
        return n == simd::width<T> ? simd::batch<T>::load_unaligned(p) : simd::load_partial<T>(p, n);
    } else {
        alignas(64) T lanes[simd::width<T>] = {};
        for (std::size_t i = 0; i < n; ++i) lanes[i] = p[static_cast<std::ptrdiff_t>(i) * stride];
        return simd::batch<T>::load_aligned(lanes);
    }
}
template <class T, bool Contiguous>
TENET_INLINE void store_strided(simd::batch<T> const& x, T* p, std::ptrdiff_t stride, std::size_t n) {
    if constexpr (Contiguous) {
        if (n == simd::width<T>) x.store_unaligned(p);
        else simd::store_partial<T>(x, p, n);
    } else {
        alignas(64) T lanes[simd::width<T>];
        x.store_aligned(lanes);
        for (std::size_t i = 0; i < n; ++i) p[static_cast<std::ptrdiff_t>(i) * stride] = lanes[i];
    }
}

/// c (+)= sums, without an epilogue.
template <class T, bool Contiguous>
[[gnu::noinline]] void finish_plain(tile_results<T> const& r, matrix_view<T const> sums) {
    constexpr std::size_t width = simd::width<T>;
    for (std::size_t i = 0; i < r.rows; ++i) {
        T const* const from = sums.data + static_cast<std::ptrdiff_t>(i) * sums.row_stride;
        T* to = r.c.data + static_cast<std::ptrdiff_t>(i) * r.c.row_stride;
        for (std::size_t j = 0; j < r.columns;
             j += width, to += static_cast<std::ptrdiff_t>(width) * r.c.column_stride) {
            const std::size_t n = r.columns - j < width ? r.columns - j : width;
            simd::batch<T> x = load_strided<T, true>(from + j, 1, n);
            if (r.accumulate) x = load_strided<T, Contiguous>(to, r.c.column_stride, n) + x;
            store_strided<T, Contiguous>(x, to, r.c.column_stride, n);
        }
    }
}

/// Where the results of a tile go, which may be stored in fewer bits than sums are computed in.
template <class C>
struct finish_target {
    C* c;                   ///< of the tile's first element
    std::ptrdiff_t offset;  ///< of that from c of the whole product
};

/// The epilogue of one register of columns of each row. Whole: contiguous and all of its lanes exist.
/// What does not change is copied to locals: for all that the compiler knows, stores might change it.
template <class T, class C, bool Contiguous, bool Whole, activation F>
TENET_INLINE void finish_register(tile_results<T> const& r, finish_target<C> const& target,
                                  matrix_view<T const> const& sums, std::size_t j, std::size_t n) {
    static_assert(Contiguous || std::is_same_v<C, T>);
    using batch = simd::batch<T>;
    constexpr std::size_t width = simd::width<T>;
    const auto load = [&](T const* p, std::ptrdiff_t stride) __attribute__((always_inline)) {
        if constexpr (Whole) return batch::load_unaligned(p);
        else return load_strided<T, Contiguous>(p, stride, n);
    };
    const auto store = [&](batch const& x, auto* p, std::ptrdiff_t stride) __attribute__((always_inline)) {
        if constexpr (!std::is_same_v<decltype(p), T*>) {
            if constexpr (Whole) simd::store_from<T>(x, p);
            else simd::store_from_partial<T>(x, p, n);
        } else if constexpr (Whole) {
            x.store_unaligned(p);
        } else {
            store_strided<T, Contiguous>(x, p, stride, n);
        }
    };
    gemm_epilogue<T> const& finish = r.problem->finish;
    epilogue<T> const& e = finish.values;
    const std::ptrdiff_t step = r.c.column_stride, c_row = r.c.row_stride, sums_row = sums.row_stride;
    C* to = target.c + static_cast<std::ptrdiff_t>(j) * step;
    T const* from = sums.data + j;
    T const* const row_bias = e.row_bias ? e.row_bias + r.row : nullptr;
    std::ptrdiff_t offset = target.offset + static_cast<std::ptrdiff_t>(j) * step;
    T* const kept = e.kept;
    T const* const residual = e.residual;
    const bool accumulate = r.accumulate, drop = e.rate > 0, scaled = e.scale != T{1};
    const std::uint64_t key = e.key;
    const batch scale(e.scale), rate(static_cast<T>(e.rate)), factor(T{1} / (T{1} - static_cast<T>(e.rate)));
    const batch column_bias = e.column_bias ? load_strided<T, true>(e.column_bias + r.column + j, 1, n) : batch(T{0});
    for (std::size_t i = 0, rows = r.rows; i < rows; ++i, to += c_row, from += sums_row, offset += c_row) {
        batch z = Whole ? batch::load_unaligned(from) : load_strided<T, true>(from, 1, n);
        if (scaled) z = scale * z;
        if constexpr (std::is_same_v<C, T>) {
            if (accumulate) z = z + load(to, step);
        }
        if (row_bias) z = z + batch(row_bias[i]);
        z = z + column_bias;
        if (kept) store(z, kept + offset, step);
        z = activate<F, T>(z);
        if (drop) {
            batch uniform;
            if constexpr (Contiguous) {
                uniform = dropout_uniform<T>(key, static_cast<std::uint64_t>(offset));
            } else {
                alignas(64) T lanes[width];
                for (std::size_t l = 0; l < width; ++l)
                    lanes[l] = static_cast<T>(dropout_uniform_at(
                        key, static_cast<std::uint64_t>(offset + static_cast<std::ptrdiff_t>(l) * step)));
                uniform = batch::load_aligned(lanes);
            }
            z = simd::select<T>(uniform >= rate, z * factor, batch(T{0}));
        }
        if (residual) z = z + load(residual + offset, step);
        store(z, to, step);
    }
}

template <class T, class C, bool Contiguous, activation F>
[[gnu::noinline]] void finish_rows(tile_results<T> const& r, finish_target<C> const& target,
                                   matrix_view<T const> const& sums) {
    constexpr std::size_t width = simd::width<T>;
    std::size_t j = 0;
    if constexpr (Contiguous)
        for (; j + width <= r.columns; j += width) finish_register<T, C, true, true, F>(r, target, sums, j, width);
    for (; j < r.columns; j += width)
        finish_register<T, C, Contiguous, false, F>(r, target, sums, j, r.columns - j < width ? r.columns - j : width);
}

/// The target = the epilogue of sums (+ c).
template <class T, class C, bool Contiguous>
TENET_INLINE void finish_into(tile_results<T> const& r, finish_target<C> const& target, matrix_view<T const> sums) {
    switch (r.problem->finish.values.f) {
    case activation::none: return finish_rows<T, C, Contiguous, activation::none>(r, target, sums);
    case activation::relu: return finish_rows<T, C, Contiguous, activation::relu>(r, target, sums);
    case activation::gelu: return finish_rows<T, C, Contiguous, activation::gelu>(r, target, sums);
    case activation::gelu_erf: return finish_rows<T, C, Contiguous, activation::gelu_erf>(r, target, sums);
    case activation::silu: return finish_rows<T, C, Contiguous, activation::silu>(r, target, sums);
    }
}

/// c = the epilogue of sums (+ c).
template <class T, bool Contiguous>
void finish_epilogue(tile_results<T> const& r, matrix_view<T const> sums) {
    gemm_epilogue<T> const& finish = r.problem->finish;
    finish_into<T, T, Contiguous>(r, {r.c.data, r.c.data - finish.origin}, sums);
}

}  // namespace tenet::kernel::detail
