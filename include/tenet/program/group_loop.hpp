// SPDX-License-Identifier: MIT
// program: what the loops of all groups have in common: addresses and strides of the streams, the walk over rows, and
// registers from and to memory. By the number of streams and their kinds, not by group, so that few are compiled.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <tenet/kernel/random.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/program/group_table.hpp>
#include <tenet/simd/convert.hpp>

namespace tenet::detail {

/// Random numbers: which of the program's streams, in which region.
struct random_stream {
    std::int32_t number = 0, region = 0;
};

/// What is known of a loop while the program is compiled.
template <std::size_t Sources, std::size_t Streams, std::size_t Dimensions>
struct group_layout {
    std::array<graph::extent_product, Dimensions> extent;                       ///< outermost first
    std::array<std::array<graph::extent_product, Dimensions>, Streams> stride;  ///< in elements
    std::array<stream_role, Sources> role;
    std::array<double, Sources> number;                  ///< of constants
    std::array<graph::extent_product, Sources> counted;  ///< of inverse counts
    std::array<random_stream, Sources> random;

    /// Whether nothing varies from run to run.
    constexpr bool is_fixed() const {
        bool fixed = true;
        for (auto const& n : extent) fixed = fixed && n.factors.rank == 0;
        for (auto const& n : counted) fixed = fixed && n.factors.rank == 0;
        for (auto const& of_stream : stride)
            for (auto const& n : of_stream) fixed = fixed && n.factors.rank == 0;
        return fixed;
    }
};

/// The layout of a group's loop; the counts are those of its table.
template <std::size_t Sources, std::size_t Streams, std::size_t Dimensions, class Image>
constexpr auto layout_of(Image const& image, group_table const& t) {
    group_layout<Sources, Streams, Dimensions> l{};
    for (std::size_t d = 0; d < Dimensions; ++d) l.extent[d] = graph::elements_along(image, t.dimension[d]);
    for (std::size_t s = 0; s < Streams; ++s) {
        graph::node const& n = image.at(t.stream(static_cast<int>(s)));
        for (std::size_t d = 0; d < Dimensions; ++d) l.stride[s][d] = graph::stride_along(image, n, t.dimension[d]);
        if (s >= Sources) continue;
        l.role[s] = role_of(n, t.inner());
        l.number[s] = n.number[0];
        if (n.op == graph::kind::random) l.random[s] = {n.integer[0], n.region};
        if (n.op == graph::kind::inverse_count) l.counted[s] = graph::elements_along(image, n.over);
    }
    return l;
}

/// The same as numbers.
template <std::size_t Sources, std::size_t Streams, std::size_t Dimensions>
struct group_shape {
    static constexpr std::size_t outer = Dimensions > 1 ? Dimensions - 1 : 0;

    std::size_t extent[outer + 1] = {1};
    std::size_t row_count = 1, length = 1;
    std::ptrdiff_t inner_stride[Streams] = {};
    std::ptrdiff_t outer_stride[outer + 1][Streams] = {};
    double number[Sources] = {};  ///< of constants and inverse counts

    /// `extents`: by position in the graph's table of axes.
    constexpr group_shape(group_layout<Sources, Streams, Dimensions> const& l, std::size_t const* extents) {
        for (std::size_t d = 0; d < outer; ++d) row_count *= extent[d] = l.extent[d].in(extents);
        if constexpr (Dimensions > 0) length = l.extent[Dimensions - 1].in(extents);
        for (std::size_t s = 0; s < Streams; ++s) {
            for (std::size_t d = 0; d < outer; ++d)
                outer_stride[d][s] = static_cast<std::ptrdiff_t>(l.stride[s][d].in(extents));
            if constexpr (Dimensions > 0)
                inner_stride[s] = static_cast<std::ptrdiff_t>(l.stride[s][Dimensions - 1].in(extents));
        }
        for (std::size_t s = 0; s < Sources; ++s)
            number[s] = l.role[s].content == stream_content::inverse_count
                            ? 1.0 / static_cast<double>(l.counted[s].in(extents))
                            : l.number[s];
    }
};

/// A loop in one run: its shape, and where its streams begin.
template <class Shape, std::size_t Sources, std::size_t Streams>
struct group_frame {
    Shape const& shape;
    std::byte* memory[Streams];
    std::uint64_t key[Sources];  ///< of random numbers
};

/// The offsets of all streams, row by row.
template <std::size_t Streams, std::size_t Outer>
class row_walk {
public:
    template <class Shape>
    row_walk(Shape const& shape, std::size_t row) {
        for (std::size_t d = Outer; d-- > 0;) {
            at_[d] = row % shape.extent[d];
            row /= shape.extent[d];
            for (std::size_t s = 0; s < Streams; ++s)
                offset[s] += static_cast<std::ptrdiff_t>(at_[d]) * shape.outer_stride[d][s];
        }
    }
    template <class Shape>
    void next(Shape const& shape) {
        for (std::size_t d = Outer; d-- > 0;) {
            for (std::size_t s = 0; s < Streams; ++s) offset[s] += shape.outer_stride[d][s];
            if (++at_[d] < shape.extent[d]) return;
            for (std::size_t s = 0; s < Streams; ++s)
                offset[s] -= static_cast<std::ptrdiff_t>(shape.extent[d]) * shape.outer_stride[d][s];
            at_[d] = 0;
        }
    }

    std::ptrdiff_t offset[Streams] = {};  ///< in elements

private:
    std::size_t at_[Outer + 1] = {};
};

/// A stream in one row.
struct stream_place {
    std::byte* start;               ///< of the row; null for what is not in memory
    std::ptrdiff_t offset, stride;  ///< in elements; the offset is that of `start`
    std::uint64_t key;
};

/// What a stream gives in every element of a row, if it does not move; `number` if it never moves.
template <class T, class Element, stream_role Role>
TENET_INLINE T resting_value(stream_place const& s, double number) {
    if constexpr (Role.step != stream_step::none) return T{0};
    else if constexpr (Role.content == stream_content::memory)
        return static_cast<T>(*reinterpret_cast<Element const*>(s.start));
    else if constexpr (Role.content == stream_content::position) return static_cast<T>(s.offset);
    else if constexpr (Role.content == stream_content::random)
        return kernel::dropout_uniform<T>(s.key, static_cast<std::uint64_t>(s.offset)).get(0);
    else return static_cast<T>(number);
}

/// The elements of a row from number `i`: `lanes` of them if `Partial`, else a register full.
template <class T, class Element, stream_role Role, bool Partial>
TENET_INLINE simd::batch<T> load_stream(stream_place const& s, std::size_t i, std::size_t lanes,
                                        simd::batch<T> const& resting) {
    constexpr std::size_t width = simd::width<T>;
    [[maybe_unused]] const auto at = [&](std::size_t k) { return static_cast<std::ptrdiff_t>(i + k) * s.stride; };
    if constexpr (Role.step == stream_step::none) {
        return resting;
    } else if constexpr (Role.content == stream_content::memory) {
        auto const* const p = reinterpret_cast<Element const*>(s.start);
        if constexpr (Role.step == stream_step::any) {
            alignas(64) T lane[width] = {};
            for (std::size_t k = 0; k < (Partial ? lanes : width); ++k) lane[k] = static_cast<T>(p[at(k)]);
            return simd::batch<T>::load_aligned(lane);
        } else if constexpr (Partial) {
            return simd::load_as_partial<T>(p + i, lanes);
        } else {
            return simd::load_as<T>(p + i);
        }
    } else if constexpr (Role.content == stream_content::random && Role.step == stream_step::unit) {
        return kernel::dropout_uniform<T>(s.key, static_cast<std::uint64_t>(s.offset) + i);
    } else {
        alignas(64) T lane[width];
        for (std::size_t k = 0; k < width; ++k) {
            const std::ptrdiff_t position = s.offset + at(k);
            if constexpr (Role.content == stream_content::position) lane[k] = static_cast<T>(position);
            else lane[k] = kernel::dropout_uniform<T>(s.key, static_cast<std::uint64_t>(position)).get(0);
        }
        return simd::batch<T>::load_aligned(lane);
    }
}

/// Writes a register to the elements of a row from number `i`.
template <class T, class Element, bool Partial>
TENET_INLINE void store_stream(simd::batch<T> const& x, stream_place const& s, std::size_t i, std::size_t lanes) {
    auto* const p = reinterpret_cast<Element*>(s.start) + i;
    if constexpr (Partial) simd::store_from_partial<T>(x, p, lanes);
    else simd::store_from<T>(x, p);
}

/// Runs `rows(frame, first row, last row, begin, end)` over all elements, on several threads.
using rows_function = void (*)(void const* frame, std::size_t first_row, std::size_t last_row, std::size_t begin,
                               std::size_t end);
inline void share_rows(rows_function rows, void const* frame, std::size_t row_count, std::size_t length) {
    // About 10 us of work a task at least.
    constexpr std::size_t grain = std::size_t{1} << 14;
    const bool one_row = row_count == 1;
    parallel_for(one_row ? length : row_count, one_row ? grain : std::max<std::size_t>(1, grain / length),
                 [=](std::size_t first, std::size_t last) {
                     if (one_row) rows(frame, 0, 1, first, last);
                     else rows(frame, first, last, 0, length);
                 });
}

}  // namespace tenet::detail
