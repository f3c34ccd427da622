// SPDX-License-Identifier: MIT
// kernel: reading rows or elements by index, and the additions that are its derivative. Repeated indices add in the
// order of their positions: threads share out columns, never positions, so that bits do not depend on their number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <tenet/kernel/copy.hpp>
#include <tenet/kernel/row.hpp>
#include <tenet/parallel/parallel_for.hpp>

namespace tenet::kernel {

/// The first position whose index lies outside [0, limit), or -1.
inline std::ptrdiff_t first_bad_index(std::int32_t const* index, std::size_t count, std::size_t limit) {
    for (std::size_t i = 0; i < count; ++i)
        if (index[i] < 0 || static_cast<std::size_t>(index[i]) >= limit) return static_cast<std::ptrdiff_t>(i);
    return -1;
}

/// out[i, :] = table[index[i], :].
///
/// table: [rows, width], index: [count], out: [count, width]. Returns -1, or the first position whose index lies
/// outside [0, rows), and then writes nothing. PyTorch: torch.nn.functional.embedding.
template <class T>
std::ptrdiff_t gather_rows(T const* table, std::int32_t const* index, T* out, auto count, auto rows, auto width) {
    const std::size_t n = width;
    if (const std::ptrdiff_t bad = first_bad_index(index, count, rows); bad >= 0) return bad;
    detail::for_rows(count, n, [=](std::size_t i) {
        detail::copy_run(table + static_cast<std::size_t>(index[i]) * n, out + i * n, n);
    });
    return -1;
}

/// dtable[index[i], :] += dy[i, :] for i = 0, 1, ..., dtable being zeroed first unless `accumulate`.
///
/// dy: [count, width], index: [count], dtable: [rows, width]; an index outside [0, rows) is skipped.
template <class T>
void scatter_add_rows(T const* dy, std::int32_t const* index, T* dtable, auto count, auto rows, auto width,
                      bool accumulate) {
    const std::size_t n = width, limit = rows, positions = count;
    if (!accumulate) fill(dtable, limit * n, T{0});
    constexpr std::size_t columns = 64;
    const std::size_t blocks = (n + columns - 1) / columns;
    const std::size_t grain =
        std::max<std::size_t>(1, detail::parallel_work / std::max<std::size_t>(1, positions * columns));
    parallel_for(blocks, grain, [=](std::size_t first, std::size_t last) {
        const std::size_t begin = first * columns, end = std::min(n, last * columns);
        for (std::size_t i = 0; i < positions; ++i) {
            const auto row = static_cast<std::size_t>(index[i]);
            if (row < limit) detail::add_run(dy + i * n + begin, dtable + row * n + begin, end - begin);
        }
    });
}

/// out[p, j, q] = x[p, index[p, j, q], q].
///
/// x: [pre, n_in, post], index and out: [pre, n_out, post]. Returns -1, or the first position whose index lies outside
/// [0, n_in), and then writes nothing. PyTorch: torch.gather; NumPy: take_along_axis.
template <class T>
std::ptrdiff_t gather_along(T const* x, std::int32_t const* index, T* out, auto pre, auto n_in, auto n_out, auto post) {
    const std::size_t in = n_in, outs = n_out, columns = post;
    if (const std::ptrdiff_t bad = first_bad_index(index, pre * outs * columns, in); bad >= 0) return bad;
    detail::for_rows(pre, outs * columns, [=](std::size_t p) {
        for (std::size_t j = 0; j < outs; ++j)
            for (std::size_t q = 0; q < columns; ++q) {
                const std::size_t at = (p * outs + j) * columns + q;
                out[at] = x[(p * in + static_cast<std::size_t>(index[at])) * columns + q];
            }
    });
    return -1;
}

/// dx[p, index[p, j, q], q] += dy[p, j, q] for j = 0, 1, ..., dx being zeroed first unless `accumulate`.
///
/// dy and index: [pre, n_out, post], dx: [pre, n_in, post]; an index outside [0, n_in) is skipped.
/// PyTorch: dx.scatter_add_(1, index, dy).
template <class T>
void scatter_add_along(T const* dy, std::int32_t const* index, T* dx, auto pre, auto n_in, auto n_out, auto post,
                       bool accumulate) {
    const std::size_t in = n_in, outs = n_out, columns = post;
    if (!accumulate) fill(dx, pre * in * columns, T{0});
    detail::for_rows(pre, outs * columns, [=](std::size_t p) {
        for (std::size_t j = 0; j < outs; ++j)
            for (std::size_t q = 0; q < columns; ++q) {
                const std::size_t at = (p * outs + j) * columns + q;
                const auto i = static_cast<std::size_t>(index[at]);
                if (i < in) dx[(p * in + i) * columns + q] += dy[at];
            }
    });
}

/// out[i, :] = 0 but for a 1 at index[i].
///
/// index: [count], out: [count, classes]. Returns -1, or the first position whose index lies outside [0, classes), and
/// then writes nothing. PyTorch: torch.nn.functional.one_hot.
template <class T>
std::ptrdiff_t one_hot(std::int32_t const* index, T* out, auto count, auto classes) {
    const std::size_t n = classes;
    if (const std::ptrdiff_t bad = first_bad_index(index, count, n); bad >= 0) return bad;
    fill(out, count * n, T{0});
    for (std::size_t i = 0; i < count; ++i) out[i * n + static_cast<std::size_t>(index[i])] = T{1};
    return -1;
}

}  // namespace tenet::kernel
