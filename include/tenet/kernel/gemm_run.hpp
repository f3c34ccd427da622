// SPDX-License-Identifier: MIT
// kernel: which code a matrix product takes, and who computes what. The sizes of every call meet in one non-inlined
// driver a type, so that a program with many shapes compiles the heavy code once; threads share out blocks of c, never
// the sum, so that bits do not depend on their number.
#pragma once

#include <algorithm>
#include <cstddef>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm_block.hpp>
#include <tenet/kernel/gemm_dots.hpp>
#include <tenet/kernel/gemm_parts.hpp>
#include <tenet/kernel/gemm_vector.hpp>
#include <tenet/kernel/gemv_columns.hpp>
#include <tenet/kernel/gemv_rows.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/simd/batch.hpp>

namespace tenet::kernel::detail {

/// Multiply-adds below which waking another thread costs more than it saves.
inline constexpr std::size_t parallel_threshold = std::size_t{1} << 20;

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

}  // namespace tenet::kernel::detail
