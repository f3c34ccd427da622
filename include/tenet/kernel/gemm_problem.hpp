// SPDX-License-Identifier: MIT
// kernel: what a matrix product is (three matrices by strides, three sizes), how long its blocks are and where a thread
// packs them. The length of a block of k depends on k alone, for it sets the order of additions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <tenet/kernel/epilogue.hpp>

namespace tenet::kernel {

/// A matrix in memory owned elsewhere; strides are in elements and may be anything, e.g. those of a transpose.
template <class T>
struct matrix_view {
    T* data;
    std::ptrdiff_t row_stride, column_stride;

    constexpr operator matrix_view<T const>() const
    requires(!std::is_const_v<T>)
    {
        return {data, row_stride, column_stride};
    }
};

namespace detail {

template <class T>
struct gemm_problem;

/// Where the sums of one tile belong: `rows` x `columns` elements of c, whose first lies at (row, column) of the
/// problem.
template <class T>
struct tile_results {
    gemm_problem<T> const* problem;
    matrix_view<T> c;
    std::size_t row, column, rows, columns;
    bool accumulate;
};

/// Brings the sums of a tile, whose columns are contiguous, to c.
template <class T>
using tile_finish = void (*)(tile_results<T> const&, matrix_view<T const>);

/// An epilogue and the code for it, where columns of c are contiguous and where they are not: pointers, so that
/// programs without epilogues do not compile it.
template <class T>
struct gemm_epilogue {
    epilogue<T> values{};
    T* origin = nullptr;  ///< c of the whole product
    tile_finish<T> contiguous = nullptr, strided = nullptr;
};

template <class T>
struct gemm_problem {
    std::size_t m, n, k;
    matrix_view<T const> a, b;
    matrix_view<T> c;
    bool accumulate;
    /// Read a and b where they lie: the caller knows that they are in L1 and that rows of b are contiguous.
    bool in_place = false;
    gemm_epilogue<T> finish{};
};

/// Bytes of the packed copies: of b, half of a usual L2 cache; of a, the rows of one tile, off the power of two, or
/// all rows of a transposed a, where they fit.
inline constexpr std::size_t b_bytes = std::size_t{5} << 17;
inline constexpr std::size_t row_bytes = 1536;  ///< of a row of a within one block of k
inline constexpr std::size_t a_bytes = std::size_t{5} << 18;

/// This thread's packing buffers.
struct gemm_workspace {
    alignas(64) std::byte b[b_bytes];
    alignas(64) std::byte a[a_bytes];
    alignas(64) std::byte tail[4 * row_bytes];  ///< up to four columns of b
};
inline gemm_workspace& workspace() {
    static thread_local gemm_workspace space;
    return space;
}

constexpr std::size_t round_up(std::size_t n, std::size_t unit) {
    return (n + unit - 1) / unit * unit;
}

/// `n` in equal parts of at most `most`, each but the last a multiple of `unit`.
constexpr std::size_t even_part(std::size_t n, std::size_t most, std::size_t unit) {
    if (n <= most) return n;
    const std::size_t parts = (n + most - 1) / most;
    return std::min(most, round_up((n + parts - 1) / parts, unit));
}

/// Length of the blocks of k: depends on k alone, for it sets the order of additions.
template <class T>
constexpr std::size_t block_of_k(std::size_t k) {
    return even_part(k, row_bytes / sizeof(T), 8);
}

}  // namespace detail
}  // namespace tenet::kernel
