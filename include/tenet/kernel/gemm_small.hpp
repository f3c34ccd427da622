// SPDX-License-Identifier: MIT
// kernel: products of small sizes known at compile time, inlined: no packing, no dispatch, and registers no wider than
// the columns that are left, where the driver would waste lanes and spend more on decisions than on the product.
#pragma once

#include <cstddef>
#include <type_traits>

#include <tenet/base/constant.hpp>
#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/kernel/gemm_tile.hpp>
#include <tenet/simd/batch.hpp>
#include <tenet/simd/quads.hpp>

namespace tenet::kernel::detail {

/// Largest size that counts as small, and bytes of the narrowest register: columns must fill those.
inline constexpr std::size_t small_size = 32, narrowest_bytes = 16;

template <class T, class M, class N, class K>
inline constexpr bool is_small_product = [] {
    if constexpr (is_constant<M> && is_constant<N> && is_constant<K>)
        return M::value - 1 < small_size && N::value - 1 < small_size && K::value - 1 < small_size &&
               N::value * sizeof(T) % narrowest_bytes == 0;
    else return false;
}();

template <class T, std::size_t Lanes>
struct small_register {
    typedef T type __attribute__((vector_size(Lanes * sizeof(T))));
};

/// A tile of Rows rows and Registers registers of Lanes lanes; the order of additions is that of `tile_product`.
template <class T, std::size_t Lanes, std::size_t Rows, std::size_t Registers, std::size_t K>
TENET_INLINE void small_tile(T const* a, std::ptrdiff_t a_row, std::ptrdiff_t a_step, T const* b, std::ptrdiff_t b_step,
                             T* c, std::ptrdiff_t c_row, bool accumulate) {
    using vector = typename small_register<T, Lanes>::type;
    vector sum[Rows][Registers] = {};
    for (std::size_t k = 0; k < K; ++k, a += a_step, b += b_step) {
        vector row[Registers];
        TENET_UNROLL
        for (std::size_t j = 0; j < Registers; ++j) __builtin_memcpy(&row[j], b + j * Lanes, sizeof(vector));
        TENET_UNROLL
        for (std::size_t i = 0; i < Rows; ++i) {
            T const x = a[static_cast<std::ptrdiff_t>(i) * a_row];
            TENET_UNROLL
            for (std::size_t j = 0; j < Registers; ++j) sum[i][j] = x * row[j] + sum[i][j];
        }
    }
    TENET_UNROLL
    for (std::size_t i = 0; i < Rows; ++i) {
        TENET_UNROLL
        for (std::size_t j = 0; j < Registers; ++j) {
            T* const to = c + static_cast<std::ptrdiff_t>(i) * c_row + j * Lanes;
            if (accumulate) {
                vector before;
                __builtin_memcpy(&before, to, sizeof before);
                sum[i][j] = before + sum[i][j];
            }
            __builtin_memcpy(to, &sum[i][j], sizeof(vector));
        }
    }
}

/// The columns from J on: as many whole registers as a tile has, or one narrower register.
template <class T, std::size_t M, std::size_t N, std::size_t K, std::size_t J = 0>
TENET_INLINE void small_columns(matrix_view<T const> const& a, matrix_view<T const> const& b, matrix_view<T> const& c,
                                bool accumulate) {
    if constexpr (J < N) {
        constexpr std::size_t left = N - J;
        constexpr std::size_t lanes = [] {
            std::size_t n = simd::width<T>;
            while (n > left) n /= 2;
            return n;
        }();
        constexpr std::size_t registers = lanes == simd::width<T> ? panel_registers<T>(left / lanes) : 1;
        constexpr std::size_t rows = tile_rows<T>, whole = M / rows * rows;
        for (std::size_t i = 0; i < whole; i += rows) {
            const auto row = static_cast<std::ptrdiff_t>(i);
            small_tile<T, lanes, rows, registers, K>(a.data + row * a.row_stride, a.row_stride, a.column_stride,
                                                     b.data + J, b.row_stride, c.data + row * c.row_stride + J,
                                                     c.row_stride, accumulate);
        }
        if constexpr (whole < M) {
            constexpr auto row = static_cast<std::ptrdiff_t>(whole);
            small_tile<T, lanes, M - whole, registers, K>(a.data + row * a.row_stride, a.row_stride, a.column_stride,
                                                          b.data + J, b.row_stride, c.data + row * c.row_stride + J,
                                                          c.row_stride, accumulate);
        }
        small_columns<T, M, N, K, J + lanes * registers>(a, b, c, accumulate);
    }
}

/// A product of 4 x 4 floats whose a and c are 16 consecutive numbers: rows of c side by side in one register.
TENET_INLINE void quad_product(float const* a, float const* b, std::ptrdiff_t b_row, float* c, bool accumulate) {
    using batch = simd::batch<float>;
    const batch x = batch::load_unaligned(a);
    batch sum = simd::spread_quads<0>(x) * simd::repeat_quad(b);
    sum = simd::fma<float>(simd::spread_quads<1>(x), simd::repeat_quad(b + b_row), sum);
    sum = simd::fma<float>(simd::spread_quads<2>(x), simd::repeat_quad(b + 2 * b_row), sum);
    sum = simd::fma<float>(simd::spread_quads<3>(x), simd::repeat_quad(b + 3 * b_row), sum);
    if (accumulate) sum = batch::load_unaligned(c) + sum;
    sum.store_unaligned(c);
}

/// The small product; b and c have contiguous rows.
template <class T, std::size_t M, std::size_t N, std::size_t K>
TENET_INLINE void small_product(matrix_view<T const> const& a, matrix_view<T const> const& b, matrix_view<T> const& c,
                                bool accumulate) {
    if constexpr (M == 4 && N == 4 && K == 4 && std::is_same_v<T, float> && simd::width<float> == 16) {
        if (a.row_stride == 4 && a.column_stride == 1 && c.row_stride == 4)
            return quad_product(a.data, b.data, b.row_stride, c.data, accumulate);
    }
    small_columns<T, M, N, K>(a, b, c, accumulate);
}

}  // namespace tenet::kernel::detail
