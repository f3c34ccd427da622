// SPDX-License-Identifier: MIT
// program: runs a group of element-wise nodes as one loop over registers. The loop's body is the group's table,
// unrolled.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <tenet/program/context.hpp>
#include <tenet/program/group_loop.hpp>
#include <tenet/program/group_table.hpp>

namespace tenet::detail {

/// The key of a stream of random numbers: another one in every step and every layer.
template <class P>
std::uint64_t random_key(run_context<P> const& c, random_stream const& stream) {
    std::uint64_t layer = 0;
    for (int r = stream.region; r >= 0; r = P::image.regions[static_cast<std::size_t>(r)].parent) {
        graph::region const& where = P::image.regions[static_cast<std::size_t>(r)];
        if (where.loop)
            layer = layer * 4096 + static_cast<std::uint64_t>(c.index[static_cast<std::size_t>(where.family)]) + 1;
    }
    return kernel::dropout_key(c.seed, c.step, static_cast<std::uint64_t>(stream.number), layer);
}

template <class P, int Last>
inline constexpr group_table table_of = make_group_table(P::image, Last);

/// The loop of the group whose last node is `Last`; the sequences count its sources, operations and stores.
template <class P, int Last, class Sources, class Ops, class Stores>
class group_loop;
template <class P, int Last, std::size_t... S, std::size_t... O, std::size_t... W>
class group_loop<P, Last, std::index_sequence<S...>, std::index_sequence<O...>, std::index_sequence<W...>> {
    using T = typename P::spec::real_type;
    using batch = simd::batch<T>;
    static constexpr group_table const& table = table_of<P, Last>;
    static constexpr std::size_t sources = sizeof...(S), streams = sources + sizeof...(W);
    static constexpr std::size_t dimensions = static_cast<std::size_t>(table.dimension_count);
    static constexpr auto layout = layout_of<sources, streams, dimensions>(P::image, table);
    static constexpr bool fixed = layout.is_fixed();
    using shape_type = group_shape<sources, streams, dimensions>;
    using frame = group_frame<shape_type, sources, streams>;
    static constexpr shape_type fixed_shape{fixed ? layout : decltype(layout){}, nullptr};

    template <std::size_t Stream>
    using element = element_of<P, table.stream(Stream)>;
    static constexpr graph::batch_function<T> function(std::size_t o) {
        auto const& f = *codes_of<typename P::spec>[static_cast<std::size_t>(table.op[o])].function;
        if constexpr (std::is_same_v<T, float>) return f.f32;
        else return f.f64;
    }

    template <bool Partial>
    TENET_INLINE static void body(stream_place const* place, batch const* resting, std::size_t i, std::size_t lanes) {
        batch values[sources + sizeof...(O)];
        ((values[S] = load_stream<T, element<S>, layout.role[S], Partial>(place[S], i, lanes, resting[S])), ...);
        ((values[sources + O] = std::integral_constant<graph::batch_function<T>, function(O)>::value(
              values[table.value(O, 0)], values[table.value(O, 1)], values[table.value(O, 2)])),
         ...);
        (store_stream<T, element<sources + W>, Partial>(values[sources + table.store[W]], place[sources + W], i, lanes),
         ...);
    }

    [[gnu::noinline]] static void rows(void const* streams_of_run, std::size_t first_row, std::size_t last_row,
                                       std::size_t begin, std::size_t end) {
        constexpr std::size_t width = simd::width<T>;
        frame const& f = *static_cast<frame const*>(streams_of_run);
        shape_type const& shape = fixed ? fixed_shape : f.shape;
        row_walk<streams, shape_type::outer> walk(shape, first_row);
        for (std::size_t row = first_row; row < last_row; ++row, walk.next(shape)) {
            // In local variables: a store through a register could be one to the frame, as far as compilers know.
            const stream_place place[] = {at<S>(f, walk.offset[S], shape.inner_stride[S], f.key[S])...,
                                          at<sources + W>(f, walk.offset[sources + W], 1, 0)...};
            const batch resting[] = {batch(resting_value<T, element<S>, layout.role[S]>(place[S], shape.number[S]))...};
            std::size_t i = begin;
            for (; i + width <= end; i += width) body<false>(place, resting, i, width);
            if (i < end) body<true>(place, resting, i, end - i);
        }
    }

    template <std::size_t Stream>
    TENET_INLINE static stream_place at(frame const& f, std::ptrdiff_t offset, std::ptrdiff_t stride,
                                        std::uint64_t key) {
        std::byte* start = f.memory[Stream];
        if constexpr (P::image.locations[static_cast<std::size_t>(table.stream(Stream))].in != graph::space::none)
            start += offset * static_cast<std::ptrdiff_t>(sizeof(element<Stream>));
        return {start, offset, stride, key};
    }

    using shape_in_run = std::conditional_t<fixed, shape_type const&, shape_type>;
    static shape_in_run shape_in(run_context<P> const& c) {
        if constexpr (fixed) return fixed_shape;
        else return {layout, c.extents.data()};
    }

public:
    static void run(run_context<P> const& c) {
        shape_in_run shape = shape_in(c);
        const frame f{shape,
                      {first_byte<P, table.source[S]>(c)..., first_byte<P, table.op[table.store[W]]>(c)...},
                      {(layout.role[S].content == stream_content::random ? random_key(c, layout.random[S]) : 0)...}};
        share_rows(rows, &f, shape.row_count, shape.length);
    }
};

/// The loop of the group whose last node is `Last`.
template <class P, int Last>
using loop_of_group = group_loop<P, Last, std::make_index_sequence<table_of<P, Last>.source_count>,
                                 std::make_index_sequence<table_of<P, Last>.op_count>,
                                 std::make_index_sequence<table_of<P, Last>.store_count>>;

}  // namespace tenet::detail
