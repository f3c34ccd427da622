// SPDX-License-Identifier: MIT
// kernel: a loop over up to 8 axes with a stride each in a source and a target: axes in the order of the target's
// memory, those that lie behind one another in both made one.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include <tenet/kernel/row.hpp>

namespace tenet::kernel::detail {

/// Extents and strides, in elements, of a loop over two arrays.
struct strided_loop {
    std::array<std::size_t, 8> extent;
    std::array<std::ptrdiff_t, 8> src, dst;
    std::size_t rank;

    void swap_axes(std::size_t a, std::size_t b) {
        std::swap(extent[a], extent[b]);
        std::swap(src[a], src[b]);
        std::swap(dst[a], dst[b]);
    }

    /// Whether anything is left to do; then the rank is at least 1.
    bool simplify() {
        std::size_t kept = 0;
        for (std::size_t a = 0; a < rank; ++a) {
            if (extent[a] == 0) return false;
            if (extent[a] == 1) continue;
            swap_axes(kept, a);
            // Insertion: the target's largest stride first.
            for (std::size_t b = kept++; b > 0 && magnitude(dst[b]) > magnitude(dst[b - 1]); --b) swap_axes(b, b - 1);
        }
        rank = 0;
        for (std::size_t a = 0; a < kept; ++a) {
            if (rank != 0) {
                const std::size_t outer = rank - 1;
                const auto n = static_cast<std::ptrdiff_t>(extent[a]);
                if (src[outer] == src[a] * n && dst[outer] == dst[a] * n) {
                    extent[outer] *= extent[a];
                    src[outer] = src[a];
                    dst[outer] = dst[a];
                    continue;
                }
            }
            extent[rank] = extent[a];
            src[rank] = src[a];
            dst[rank++] = dst[a];
        }
        if (rank == 0) {
            extent[0] = 1;
            src[0] = dst[0] = 1;
            rank = 1;
        }
        return true;
    }

    /// An axis along which the source is contiguous while the target is along the last; the last one if there is none.
    std::size_t transposed_axis() const {
        const std::size_t last = rank - 1;
        if (dst[last] != 1 || src[last] == 1 || src[last] == 0 || extent[last] < 4) return last;
        for (std::size_t a = 0; a < last; ++a)
            if (src[a] == 1 && extent[a] >= 4) return a;
        return last;
    }

    /// Index tuples of the first `axes` axes.
    std::size_t count(std::size_t axes) const {
        std::size_t n = 1;
        for (std::size_t a = 0; a < axes; ++a) n *= extent[a];
        return n;
    }

    /// Where the index tuple `u` of the first `axes` axes lies in the source and in the target.
    std::pair<std::ptrdiff_t, std::ptrdiff_t> offsets(std::size_t u, std::size_t axes) const {
        std::ptrdiff_t s = 0, d = 0;
        for (std::size_t a = axes; a-- > 0; u /= extent[a]) {
            const auto i = static_cast<std::ptrdiff_t>(u % extent[a]);
            s += i * src[a];
            d += i * dst[a];
        }
        return {s, d};
    }

    /// f(source offset, target offset) for the index tuples [first, last) of the first `axes` axes.
    template <class F>
    void for_each(std::size_t first, std::size_t last, std::size_t axes, F const& f) const {
        std::array<std::size_t, 8> index{};
        std::size_t rest = first;
        for (std::size_t a = axes; a-- > 0; rest /= extent[a]) index[a] = rest % extent[a];
        auto [s, d] = offsets(first, axes);
        for (std::size_t u = first; u < last; ++u) {
            f(s, d);
            for (std::size_t a = axes; a-- > 0;) {
                s += src[a];
                d += dst[a];
                if (++index[a] < extent[a]) break;
                index[a] = 0;
                s -= src[a] * static_cast<std::ptrdiff_t>(extent[a]);
                d -= dst[a] * static_cast<std::ptrdiff_t>(extent[a]);
            }
        }
    }

private:
    static std::size_t magnitude(std::ptrdiff_t x) { return static_cast<std::size_t>(x < 0 ? -x : x); }
};

}  // namespace tenet::kernel::detail
