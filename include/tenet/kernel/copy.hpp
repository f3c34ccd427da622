// SPDX-License-Identifier: MIT
// kernel: copies between any two strided layouts: permutations, slices, concatenations and broadcasts are all this.
// Axes are sorted and merged first, so that most cases become runs of contiguous elements or transposes of matrices.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include <tenet/kernel/strided_loop.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/simd/transpose.hpp>

namespace tenet::kernel {

namespace detail {

/// Elements that are worth a task of their own when they are only moved.
inline constexpr std::size_t parallel_copy = std::size_t{1} << 15;

// Short runs are many: moves of constant size, where a call of memcpy would cost more than the run.
template <class T>
TENET_INLINE void copy_run(T const* src, T* dst, std::size_t n) {
    constexpr std::size_t chunk = 64 / sizeof(T);
    if (n > 8 * chunk) {
        std::memcpy(dst, src, n * sizeof(T));
        return;
    }
    for (; n >= chunk; n -= chunk, src += chunk, dst += chunk) std::memcpy(dst, src, chunk * sizeof(T));
    simd::detail::copy_chunks<T, chunk / 2>(src, dst, n);
}

template <class T>
TENET_INLINE void add_run(T const* src, T* dst, std::size_t n) {
    if constexpr (std::is_floating_point_v<T>) {
        for_vectors<T>(n, [=](std::size_t i, auto t) {
            store<T>(adding<T>::apply(load(dst + i, t), load(src + i, t)), dst + i, t);
        });
    } else {
        for (std::size_t i = 0; i < n; ++i) dst[i] = static_cast<T>(dst[i] + src[i]);
    }
}

template <class T>
TENET_INLINE void fill_run(T* dst, std::size_t n, T value) {
    constexpr std::size_t chunk = 64 / sizeof(T);
    T pattern[chunk];
    for (T& v : pattern) v = value;
    for (; n >= chunk; n -= chunk, dst += chunk) std::memcpy(dst, pattern, sizeof pattern);
    simd::detail::copy_chunks<T, chunk / 2>(pattern, dst, n);
}

/// One of the two things done to an element of the target.
template <class T>
struct assigning {
    static constexpr bool reads_target = false;
    TENET_INLINE static void apply(T& to, T from) { to = from; }
    TENET_INLINE static void run(T const* src, T* dst, std::size_t n) { copy_run(src, dst, n); }
};
template <class T>
struct increasing {
    static constexpr bool reads_target = true;
    TENET_INLINE static void apply(T& to, T from) { to = static_cast<T>(to + from); }
    TENET_INLINE static void run(T const* src, T* dst, std::size_t n) { add_run(src, dst, n); }
};

// One run along the last axis.
template <class T, class Op>
void strided_run(T const* src, T* dst, std::size_t n, std::ptrdiff_t src_stride, std::ptrdiff_t dst_stride) {
    if (src_stride == 1 && dst_stride == 1) return Op::run(src, dst, n);
    if constexpr (!Op::reads_target)
        if (src_stride == 0 && dst_stride == 1) return fill_run(dst, n, *src);
    for (std::size_t i = 0; i < n; ++i, src += src_stride, dst += dst_stride) Op::apply(*dst, *src);
}

// dst[r, c] = src[c, r]: both have contiguous rows. Squares that fit registers, the rest one by one.
template <class T, class Op>
void transpose_panel(T const* src, T* dst, std::size_t rows, std::size_t columns, std::ptrdiff_t src_stride,
                     std::ptrdiff_t dst_stride) {
    const auto at = [](std::size_t i, std::ptrdiff_t stride) { return static_cast<std::ptrdiff_t>(i) * stride; };
    const auto one_by_one = [=](std::size_t r, std::size_t r_end, std::size_t c, std::size_t c_end) {
        for (std::size_t i = r; i < r_end; ++i)
            for (std::size_t j = c; j < c_end; ++j)
                Op::apply(dst[at(i, dst_stride) + static_cast<std::ptrdiff_t>(j)],
                          src[at(j, src_stride) + static_cast<std::ptrdiff_t>(i)]);
    };
    constexpr bool squares = !Op::reads_target && (sizeof(T) == 4 || sizeof(T) == 8);
    constexpr std::size_t size = squares ? simd::transpose_size<std::conditional_t<squares, T, float>> : 32;
    const std::size_t whole_rows = rows / size * size, whole_columns = columns / size * size;
    for (std::size_t c = 0; c < whole_columns; c += size)
        for (std::size_t r = 0; r < whole_rows; r += size) {
            if constexpr (squares)
                simd::transpose_square(src + at(c, src_stride) + r, src_stride, dst + at(r, dst_stride) + c,
                                       dst_stride);
            else one_by_one(r, r + size, c, c + size);
        }
    one_by_one(0, whole_rows, whole_columns, columns);
    one_by_one(whole_rows, rows, 0, columns);
}

template <class T, class Op>
void strided_apply(T const* src, T* dst, strided_loop loop) {
    if (!loop.simplify()) return;
    const std::size_t last = loop.rank - 1, crossing = loop.transposed_axis();
    if (crossing != last) {
        // Panels of the crossing axis, whole along the last one.
        constexpr std::size_t panel = 64;
        loop.swap_axes(crossing, last - 1);
        const std::size_t rows = loop.extent[last - 1], columns = loop.extent[last];
        const std::size_t panels = (rows + panel - 1) / panel, units = loop.count(last - 1) * panels;
        parallel_for(units, std::max<std::size_t>(1, parallel_copy / (std::min(rows, panel) * columns)),
                     [&](std::size_t first, std::size_t end) {
                         for (std::size_t u = first; u < end; ++u) {
                             const auto [s, d] = loop.offsets(u / panels, last - 1);
                             const std::size_t r = u % panels * panel;
                             transpose_panel<T, Op>(
                                 src + s + r, dst + d + static_cast<std::ptrdiff_t>(r) * loop.dst[last - 1],
                                 std::min(panel, rows - r), columns, loop.src[last], loop.dst[last - 1]);
                         }
                     });
        return;
    }
    const std::size_t n = loop.extent[last];
    const std::ptrdiff_t src_stride = loop.src[last], dst_stride = loop.dst[last];
    if (loop.rank == 1) {
        parallel_for(n, parallel_copy, [=](std::size_t first, std::size_t end) {
            strided_run<T, Op>(src + static_cast<std::ptrdiff_t>(first) * src_stride,
                               dst + static_cast<std::ptrdiff_t>(first) * dst_stride, end - first, src_stride,
                               dst_stride);
        });
        return;
    }
    parallel_for(loop.count(last), std::max<std::size_t>(1, parallel_copy / n),
                 [&](std::size_t first, std::size_t end) {
                     loop.for_each(first, end, last, [&](std::ptrdiff_t s, std::ptrdiff_t d) {
                         strided_run<T, Op>(src + s, dst + d, n, src_stride, dst_stride);
                     });
                 });
}

}  // namespace detail

/// dst[i . dst_strides] = src[i . src_strides] for every index i below `extents`, `rank` <= 8 of them.
///
/// Strides are in elements and may be 0 in src (a broadcast) or negative; elements of dst must be distinct, and src and
/// dst must not overlap. T: trivially copyable, of 1, 4 or 8 bytes. Parallel when large.
/// PyTorch: dst.copy_(src), x.permute(...).contiguous(), torch.cat, x.expand(...).
template <class T>
void copy_strided(T const* src, T* dst, std::array<std::size_t, 8> const& extents,
                  std::array<std::ptrdiff_t, 8> const& src_strides, std::array<std::ptrdiff_t, 8> const& dst_strides,
                  std::size_t rank) {
    static_assert(std::is_trivially_copyable_v<T>, "copy_strided<T>: T must be trivially copyable");
    detail::strided_apply<T, detail::assigning<T>>(src, dst, {extents, src_strides, dst_strides, rank});
}

/// dst[i . dst_strides] += src[i . src_strides]; otherwise as `copy_strided`. PyTorch: dst += src.
template <class T>
void add_strided(T const* src, T* dst, std::array<std::size_t, 8> const& extents,
                 std::array<std::ptrdiff_t, 8> const& src_strides, std::array<std::ptrdiff_t, 8> const& dst_strides,
                 std::size_t rank) {
    detail::strided_apply<T, detail::increasing<T>>(src, dst, {extents, src_strides, dst_strides, rank});
}

/// p[0], ..., p[n - 1] = value. PyTorch: x.fill_(value).
template <class T>
void fill(T* p, std::size_t n, T value) {
    parallel_for(n, 2 * detail::parallel_copy,
                 [=](std::size_t begin, std::size_t end) { detail::fill_run(p + begin, end - begin, value); });
}

}  // namespace tenet::kernel
