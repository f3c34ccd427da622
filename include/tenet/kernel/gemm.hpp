// SPDX-License-Identifier: MIT
// kernel: matrix products. The sizes of every call meet in one non-inlined driver a type, so that a program with many
// shapes compiles the heavy code once; threads share out blocks of c, never the sum, so that bits do not depend on
// their number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include <tenet/base/constant.hpp>
#include <tenet/base/macros.hpp>
#include <tenet/kernel/epilogue.hpp>
#include <tenet/kernel/gemm_block.hpp>
#include <tenet/kernel/gemm_dots.hpp>
#include <tenet/kernel/gemm_finish.hpp>
#include <tenet/kernel/gemm_small.hpp>
#include <tenet/kernel/gemm_vector.hpp>
#include <tenet/kernel/gemv_columns.hpp>
#include <tenet/kernel/gemv_rows.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/simd/batch.hpp>

namespace tenet::kernel {

/// Up to three outer loops around a product; strides are in elements and advance the three operands together.
struct gemm_batch {
    std::size_t count[3] = {1, 1, 1};
    std::ptrdiff_t a[3] = {}, b[3] = {}, c[3] = {};
    std::size_t rank = 0;  ///< loops used; 0 is a single product
};

namespace detail {

/// Multiply-adds below which waking another thread costs more than it saves.
inline constexpr std::size_t parallel_threshold = std::size_t{1} << 20;

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

/// Which code a product takes. Decided on the whole product, not on one thread's share: it sets the order of additions.
enum class gemm_path { blocks, columns, rows, dots };

/// The most rows, columns and the least k of products that are taken as dot products: packing b costs about as much as
/// some rows of the product, and adding the lanes up as some steps of k.
inline constexpr std::size_t dots_most_rows = 12, dots_most_columns = 12, dots_least_k = 64;

template <class T>
gemm_path path_of(gemm_problem<T> const& p) {
    if (p.m != 1) {
        const bool dots = (p.m <= dots_most_rows || p.n <= dots_most_columns) && p.k >= dots_least_k &&
                          p.a.column_stride == 1 && p.b.row_stride == 1;
        return dots ? gemm_path::dots : gemm_path::blocks;
    }
    if (p.b.row_stride == 1) return gemm_path::columns;
    return p.b.column_stride == 1 && p.c.column_stride == 1 ? gemm_path::rows : gemm_path::blocks;
}

/// The epilogue of a product of one row that lies in c, scaled and accumulated.
template <class T>
void finish_row(gemm_problem<T> const& p) {
    if (!p.finish.contiguous) return;
    gemm_problem<T> scaled = p;
    scaled.finish.values.scale = T{1};
    constexpr std::size_t chunk = 256;
    alignas(64) T sums[chunk];
    for (std::size_t j = 0; j < p.n; j += chunk) {
        const std::size_t n = std::min(chunk, p.n - j);
        matrix_view<T> c = p.c;
        c.data += static_cast<std::ptrdiff_t>(j) * c.column_stride;
        for (std::size_t i = 0; i < n; ++i) sums[i] = c.data[static_cast<std::ptrdiff_t>(i) * c.column_stride];
        (c.column_stride == 1 ? p.finish.contiguous : p.finish.strided)({&scaled, c, 0, j, 1, n, false},
                                                                        {sums, static_cast<std::ptrdiff_t>(chunk), 1});
    }
}

template <class T>
[[gnu::noinline]] void gemm_serial(gemm_problem<T> const& p, gemm_path path) {
    if (path == gemm_path::blocks) return gemm_block<T>(p).run();
    if (path == gemm_path::dots) return rows_times_columns(p);
    if (path == gemm_path::columns) row_times_columns(p);
    else row_times_rows(p);
    finish_row(p);
}

/// Whether a product of one row and contiguous rows is large enough to be read as a stream.
template <class T>
bool streams_rows(gemm_problem<T> const& p) {
    return p.k * p.n >= std::size_t{1} << 14 && p.a.column_stride == 1 && p.b.row_stride > 0 &&
           p.finish.values.scale == T{1};
}

template <class T>
bool streams_columns(gemm_problem<T> const& p) {
    return p.k >= 4 * simd::width<T> && p.k * p.n >= std::size_t{1} << 14 && p.a.column_stride == 1 &&
           p.finish.values.scale == T{1};
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

/// A product of k = 0: the epilogue of zeros (+ c).
template <class T>
void no_terms(gemm_problem<T> const& p) {
    for (std::size_t i = 0; i < p.m; ++i) {
        const gemm_problem<T> row = part_of(p, i, 1, 0, p.n);
        for (std::size_t j = 0; j < p.n && !p.accumulate; ++j)
            row.c.data[static_cast<std::ptrdiff_t>(j) * p.c.column_stride] = T{0};
        finish_row(row);
    }
}

template <class T>
[[gnu::noinline]] void gemm_run(gemm_problem<T> const& given, gemm_batch const& batch) {
    std::size_t entries = 1;
    for (std::size_t d = 0; d < batch.rank; ++d) entries *= batch.count[d];
    if (given.m == 0 || given.n == 0 || entries == 0) return;
    if (given.k == 0) {
        for (std::size_t e = 0; e < entries; ++e) no_terms(entry_of(given, batch, e));
        return;
    }
    const gemm_path path = path_of(oriented(given));
    if (path == gemm_path::rows && entries == 1)
        if (const gemm_problem<T> p = oriented(given); streams_rows(p)) {
            vector_times_rows(plain_rows<T>{p.b.data, static_cast<std::size_t>(p.b.row_stride)}, p.a.data, p.k, p.n,
                              p.c.data, p.accumulate);
            return finish_row(p);
        }
    if (path == gemm_path::columns && entries == 1)
        if (const gemm_problem<T> p = oriented(given); streams_columns(p)) {
            dot_all_rows<T>(plain_dots<T>{p.b.data, p.b.column_stride, p.a.data}, p.n, p.k, [&](std::size_t j, T sum) {
                T& to = p.c.data[static_cast<std::ptrdiff_t>(j) * p.c.column_stride];
                to = p.accumulate ? to + sum : sum;
            });
            return finish_row(p);
        }
    const std::size_t work = given.m * given.n * given.k;
    const std::size_t threads = work * entries < parallel_threshold ? 1 : thread_count();
    if (threads == 1) {
        for (std::size_t e = 0; e < entries; ++e) gemm_serial(oriented(entry_of(given, batch, e)), path);
        return;
    }
    if (entries >= 4 * threads || (entries % threads == 0 && work < 64 * parallel_threshold)) {
        parallel_for(entries, std::max(std::size_t{1}, parallel_threshold / 2 / work),
                     [&](std::size_t begin, std::size_t end) {
                         for (std::size_t e = begin; e < end; ++e)
                             gemm_serial(oriented(entry_of(given, batch, e)), path);
                     });
        return;
    }
    const std::size_t wanted = std::min(threads, std::max(std::size_t{1}, 2 * work / parallel_threshold));
    // Long parts are cut up to four times: whoever is done takes over what a thread on a busier processor has left.
    const std::size_t cuts = std::clamp(work / wanted / (64 * parallel_threshold), std::size_t{1}, std::size_t{4});
    const gemm_parts parts = parts_of(oriented(given), wanted * cuts);
    parallel_for(entries * parts.count, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t u = begin; u < end; ++u) {
            const gemm_problem<T> p = oriented(entry_of(given, batch, u / parts.count));
            const std::size_t first = u % parts.count * parts.size;
            const std::size_t size = std::min(parts.size, (parts.by_columns ? p.n : p.m) - first);
            gemm_serial(parts.by_columns ? part_of(p, 0, p.m, first, size) : part_of(p, first, size, 0, p.n), path);
        }
    });
}

}  // namespace detail

/// Matrix product: c[i,j] = sum over k of a[i,k] b[k,j], or c[i,j] += ... if `accumulate`, for every batch entry.
///
/// `a` is m x k, `b` is k x n, `c` is m x n; T is float or double. Each size is a `constant<N>` or a `std::size_t` and
/// may be 0 or 1 (k = 0 zeroes c unless `accumulate`). Strides may be anything; fast are a `b` with either stride 1
/// and a `c` with either stride 1. `c` must not overlap `a` or `b`, nor one batch entry of `c` another.
/// Never allocates (about 0.6 MiB of thread-local buffers); threads share out c from about 1 M multiply-adds on, and
/// every element's additions have the same order for any number of threads.
/// Source: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008.
/// PyTorch: torch.matmul, torch.bmm, torch.baddbmm.
template <class T>
TENET_INLINE void gemm(auto m, auto n, auto k, matrix_view<T const> a, matrix_view<T const> b, matrix_view<T> c,
                       bool accumulate, gemm_batch const& batch = {}) {
    if constexpr (detail::is_small_product<T, decltype(m), decltype(n), decltype(k)>) {
        if (batch.rank == 0 && b.column_stride == 1 && c.column_stride == 1)
            return detail::small_product<T, m, n, k>(a, b, c, accumulate);
    }
    detail::gemm_run<T>(
        {static_cast<std::size_t>(m), static_cast<std::size_t>(n), static_cast<std::size_t>(k), a, b, c, accumulate},
        batch);
}

/// The same with an epilogue, applied to each element while it is in registers or in the L1 cache.
///
/// `finish` is described at `epilogue`. From k of about 300 on, a bias and a GELU together cost below 5 % of the
/// product's time. PyTorch: torch.nn.functional.linear, then gelu, dropout and +.
template <class T>
void gemm(auto m, auto n, auto k, matrix_view<T const> a, matrix_view<T const> b, matrix_view<T> c, bool accumulate,
          epilogue<T> const& finish, gemm_batch const& batch = {}) {
    detail::gemm_problem<T> p{
        static_cast<std::size_t>(m), static_cast<std::size_t>(n), static_cast<std::size_t>(k), a, b, c, accumulate};
    if (!finish.empty())
        p.finish = {finish, c.data, &detail::finish_epilogue<T, true>, &detail::finish_epilogue<T, false>};
    detail::gemm_run<T>(p, batch);
}

}  // namespace tenet::kernel
