// SPDX-License-Identifier: MIT
// kernel: a product turned over, an entry of a batch of products, and the parts of one that threads share out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/kernel/gemm_tile.hpp>
#include <tenet/simd/batch.hpp>

namespace tenet::kernel {

/// Up to three outer loops around a product; strides are in elements and advance the three operands together.
struct gemm_batch {
    std::size_t count[3] = {1, 1, 1};
    std::ptrdiff_t a[3] = {}, b[3] = {}, c[3] = {};
    std::size_t rank = 0;  ///< loops used; 0 is a single product
};

namespace detail {

/// c^T = b^T a^T.
template <class T>
gemm_problem<T> transposed(gemm_problem<T> const& p) {
    const auto flip = [](auto v) {
        std::swap(v.row_stride, v.column_stride);
        return v;
    };
    gemm_epilogue<T> finish = p.finish;
    std::swap(finish.values.row_bias, finish.values.column_bias);
    return {p.n, p.m, p.k, flip(p.b), flip(p.a), flip(p.c), p.accumulate, p.in_place, finish};
}

/// The same product with contiguous rows of c where there is a choice, and a single row rather than a single column.
template <class T>
gemm_problem<T> oriented(gemm_problem<T> const& p) {
    const bool flip = p.m == 1 || p.n == 1 ? p.m != 1 : p.c.column_stride != 1 && p.c.row_stride == 1;
    return flip ? transposed(p) : p;
}

/// The part [i, i + m) x [j, j + n) of c.
template <class T>
gemm_problem<T> part_of(gemm_problem<T> p, std::size_t i, std::size_t m, std::size_t j, std::size_t n) {
    const auto si = static_cast<std::ptrdiff_t>(i), sj = static_cast<std::ptrdiff_t>(j);
    p.a.data += si * p.a.row_stride;
    p.b.data += sj * p.b.column_stride;
    p.c.data += si * p.c.row_stride + sj * p.c.column_stride;
    if (p.finish.values.row_bias) p.finish.values.row_bias += i;
    if (p.finish.values.column_bias) p.finish.values.column_bias += j;
    p.m = m;
    p.n = n;
    return p;
}

template <class T>
gemm_problem<T> entry_of(gemm_problem<T> p, gemm_batch const& batch, std::size_t index) {
    for (std::size_t d = batch.rank; d-- > 0;) {
        const auto i = static_cast<std::ptrdiff_t>(index % batch.count[d]);
        index /= batch.count[d];
        p.a.data += i * batch.a[d];
        p.b.data += i * batch.b[d];
        p.c.data += i * batch.c[d];
    }
    return p;
}

/// How one product is shared out: parts of equal size along one side of c, whole tiles each.
struct gemm_parts {
    bool by_columns;
    std::size_t size, count;
};

template <class T>
gemm_parts parts_of(gemm_problem<T> const& p, std::size_t wanted) {
    // Each thread packs its own b: sharing out the longer side copies least.
    const bool by_columns = p.m == 1 || p.n >= p.m;
    const std::size_t all = by_columns ? p.n : p.m;
    const std::size_t unit = by_columns ? simd::width<T> : tile_rows<T>;
    const std::size_t size = std::max(round_up((all + wanted - 1) / wanted, unit), unit);
    return {by_columns, size, (all + size - 1) / size};
}

}  // namespace detail
}  // namespace tenet::kernel
