// SPDX-License-Identifier: MIT
// program: runs a group of element-wise nodes as one loop over registers. The group is a constexpr table of sources,
// micro-operations and stores; the loop body is the table, unrolled.
#pragma once

#include <algorithm>
#include <utility>

#include <tenet/kernel/random.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/program/context.hpp>
#include <tenet/simd/convert.hpp>

namespace tenet::detail {

inline constexpr int max_sources = 48;

/// The table of a group.
struct group_table {
    struct operand {
        bool computed = false;  ///< by an earlier micro-operation, else a source
        int at = 0;
    };
    int source_count = 0, op_count = 0, store_count = 0;
    int source[max_sources] = {};  ///< nodes
    int op[graph::max_group + 1] = {};
    operand argument[graph::max_group + 1][3] = {};
    int store[graph::max_group + 1] = {};  ///< positions in `op`
    int dimension_count = 0;
    graph::axis_list dimension[graph::max_rank];  ///< runs of axes walked as one, outermost first
};

template <class Image>
constexpr bool walks_together(Image const& image, graph::node const& n, int outer, int inner) {
    const int a = n.axes.find(outer), b = n.axes.find(inner);
    if (a < 0 && b < 0) return true;
    if (a < 0 || b < 0) return false;
    if (n.op == graph::kind::iota) return false;
    return graph::mergeable(image, n.axes, graph::geometry_of(n), a, b);
}

template <class P, int Last>
consteval group_table make_group_table() {
    constexpr auto& image = P::image;
    group_table t;
    const int g = image.group[Last];
    const auto begin = static_cast<std::size_t>(image.group_begin[static_cast<std::size_t>(g)]);
    const auto end = static_cast<std::size_t>(image.group_begin[static_cast<std::size_t>(g) + 1]);
    for (std::size_t k = begin; k < end; ++k) {
        const int id = image.members[k];
        graph::node const& n = image.at(id);
        for (int i = 0; i < n.input_count; ++i) {
            group_table::operand& x = t.argument[t.op_count][i];
            for (int o = 0; o < t.op_count; ++o)
                if (t.op[o] == n.input[i]) x = {true, o};
            if (x.computed) continue;
            int s = 0;
            while (s < t.source_count && t.source[s] != n.input[i]) ++s;
            if (s == t.source_count) {
                if (s == max_sources) throw "a group of element-wise operations has more than 48 operands";
                t.source[t.source_count++] = n.input[i];
            }
            x = {false, s};
        }
        if (image.locations[static_cast<std::size_t>(id)].in != graph::space::none)
            t.store[t.store_count++] = t.op_count;
        t.op[t.op_count++] = id;
    }
    const graph::axis_list axes = image.at(Last).axes;
    for (int i = axes.rank - 1; i >= 0; --i) {
        bool join = i + 1 < axes.rank;
        for (int s = 0; join && s < t.source_count; ++s)
            join = walks_together(image, image.at(t.source[s]), axes[i], axes[i + 1]);
        for (int o = 0; join && o < t.store_count; ++o)
            join = walks_together(image, image.at(t.op[t.store[o]]), axes[i], axes[i + 1]);
        if (!join) ++t.dimension_count;
        graph::axis_list run;
        run.push(axes[i]);
        graph::axis_list& inner = t.dimension[t.dimension_count - 1];
        for (int j = 0; j < inner.rank; ++j) run.push(inner[j]);
        inner = run;
    }
    std::reverse(t.dimension, t.dimension + t.dimension_count);
    return t;
}

template <class P, int Last>
class group_runner {
    static constexpr group_table table = make_group_table<P, Last>();
    using T = typename P::spec::real_type;
    using batch = simd::batch<T>;
    static constexpr int dimensions = table.dimension_count;
    static constexpr graph::axis_list inner = dimensions > 0 ? table.dimension[dimensions - 1] : graph::axis_list{};
    static constexpr std::size_t width = simd::width<T>;

    enum class access { number, inverse_count, fixed, contiguous, strided };

    template <int Node>
    static constexpr access access_of() {
        constexpr graph::node n = P::image.nodes[Node];
        if constexpr (n.op == graph::kind::constant) return access::number;
        else if constexpr (n.op == graph::kind::inverse_count) return access::inverse_count;
        else {
            if constexpr (inner.rank == 0) return access::fixed;
            else {
                constexpr int k = n.axes.find(inner[inner.rank - 1]);
                if constexpr (k < 0) return access::fixed;
                else {
                    constexpr graph::geometry g = graph::geometry_of(n);
                    return g.position[k] + 1 == g.physical.rank ? access::contiguous : access::strided;
                }
            }
        }
    }
    static constexpr bool is_index(graph::kind k) { return k == graph::kind::iota || k == graph::kind::random; }

    // Everything a row of the loop starts from: one offset an operand (sources, then stores).
    static constexpr int streams = table.source_count + table.store_count;
    template <int S>
    static constexpr int node_of_stream() {
        return S < table.source_count ? table.source[S] : table.op[table.store[S - table.source_count]];
    }

    template <int S>
    static std::ptrdiff_t stream_stride(run_context<P> const& c, int d) {
        std::ptrdiff_t stride = 0;
        [&]<std::size_t... D>(std::index_sequence<D...>) {
            ((static_cast<int>(D) == d ? void(stride = list_stride<P, node_of_stream<S>(), table.dimension[D]>(c))
                                       : void()),
             ...);
        }(std::make_index_sequence<static_cast<std::size_t>(dimensions)>{});
        return stride;
    }

    template <int S>
    static auto* stream_base([[maybe_unused]] run_context<P> const& c) {
        constexpr int node = node_of_stream<S>();
        constexpr graph::kind op = P::image.nodes[node].op;
        if constexpr (op == graph::kind::constant || op == graph::kind::inverse_count || is_index(op))
            return static_cast<T*>(nullptr);
        else return address<P, node>(c);
    }

    template <int S>
    static std::uint64_t random_key(run_context<P> const& c) {
        constexpr graph::node n = P::image.nodes[node_of_stream<S>()];
        std::uint64_t layer = 0;
        for (int r = n.region; r >= 0; r = P::image.regions[static_cast<std::size_t>(r)].parent) {
            graph::region const& where = P::image.regions[static_cast<std::size_t>(r)];
            if (where.loop)
                layer = layer * 4096 + static_cast<std::uint64_t>(c.index[static_cast<std::size_t>(where.family)]) + 1;
        }
        return kernel::dropout_key(c.seed, c.step, static_cast<std::uint64_t>(n.integer[0]), layer);
    }

    // A source that does not change along the inner dimension.
    template <int S, class Bases>
    static batch fixed_source(run_context<P> const& c, Bases const& bases, std::ptrdiff_t offset) {
        constexpr int node = table.source[S];
        constexpr graph::node n = P::image.nodes[node];
        if constexpr (access_of<node>() == access::number) {
            return batch(static_cast<T>(n.number[0]));
        } else if constexpr (access_of<node>() == access::inverse_count) {
            return batch(static_cast<T>(1.0 / static_cast<double>(extent_of_list<P, n.over>(c))));
        } else if constexpr (access_of<node>() != access::fixed) {
            return batch(T{0});
        } else if constexpr (n.op == graph::kind::iota) {
            return batch(static_cast<T>(offset));
        } else if constexpr (n.op == graph::kind::random) {
            return batch(kernel::dropout_uniform<T>(random_key<S>(c), static_cast<std::uint64_t>(offset)).get(0));
        } else {
            return batch(static_cast<T>(std::get<S>(bases)[offset]));
        }
    }

    template <int S, bool Partial, class Bases>
    TENET_INLINE static batch load(std::uint64_t key, Bases const& bases, std::ptrdiff_t offset, std::ptrdiff_t stride,
                                   std::size_t i, std::size_t lanes, batch const& fixed) {
        constexpr int node = table.source[S];
        constexpr access how = access_of<node>();
        constexpr graph::kind op = P::image.nodes[node].op;
        if constexpr (how != access::contiguous && how != access::strided) {
            return fixed;
        } else if constexpr (is_index(op)) {
            if constexpr (op == graph::kind::random && how == access::contiguous)
                return kernel::dropout_uniform<T>(key, static_cast<std::uint64_t>(offset) + i);
            alignas(64) T lane[width];
            for (std::size_t k = 0; k < width; ++k) {
                const std::ptrdiff_t at = offset + static_cast<std::ptrdiff_t>(i + k) * stride;
                if constexpr (op == graph::kind::iota) lane[k] = static_cast<T>(at);
                else lane[k] = kernel::dropout_uniform<T>(key, static_cast<std::uint64_t>(at)).get(0);
            }
            return batch::load_aligned(lane);
        } else {
            auto const* const p = std::get<S>(bases) + offset;
            if constexpr (how == access::contiguous) {
                if constexpr (Partial) return simd::load_as_partial<T>(p + i, lanes);
                else return simd::load_as<T>(p + i);
            } else {
                alignas(64) T lane[width] = {};
                for (std::size_t k = 0; k < (Partial ? lanes : width); ++k)
                    lane[k] = static_cast<T>(p[static_cast<std::ptrdiff_t>(i + k) * stride]);
                return batch::load_aligned(lane);
            }
        }
    }

    template <int O, int I>
    TENET_INLINE static batch argument(batch const* sources, batch const* results) {
        constexpr graph::node n = P::image.nodes[table.op[O]];
        if constexpr (I >= n.input_count) return batch(T{0});
        else if constexpr (table.argument[O][I].computed) return results[table.argument[O][I].at];
        else return sources[table.argument[O][I].at];
    }

    template <int O>
    TENET_INLINE static batch compute(batch const* sources, batch const* results) {
        constexpr graph::elementwise_info const* f =
            codes_of<typename P::spec>[static_cast<std::size_t>(table.op[O])].function;
        if constexpr (std::is_same_v<T, float>) {
            constexpr auto call = f->f32;
            return call(argument<O, 0>(sources, results), argument<O, 1>(sources, results),
                        argument<O, 2>(sources, results));
        } else {
            constexpr auto call = f->f64;
            return call(argument<O, 0>(sources, results), argument<O, 1>(sources, results),
                        argument<O, 2>(sources, results));
        }
    }

    template <bool Partial, class Bases, std::size_t... S, std::size_t... O, std::size_t... W>
    TENET_INLINE static void body(Bases const& bases, std::uint64_t const* keys, std::ptrdiff_t const* offsets,
                                  std::ptrdiff_t const* strides, std::size_t i, std::size_t lanes, batch const* fixed,
                                  std::index_sequence<S...>, std::index_sequence<O...>, std::index_sequence<W...>) {
        batch sources[sizeof...(S) + 1] = {
            load<static_cast<int>(S), Partial>(keys[S], bases, offsets[S], strides[S], i, lanes, fixed[S])...};
        batch results[sizeof...(O) + 1];
        ((results[O] = compute<static_cast<int>(O)>(sources, results)), ...);
        (
            [&] {
                constexpr std::size_t stream = sizeof...(S) + W;
                auto* const p = std::get<stream>(bases) + offsets[stream] + static_cast<std::ptrdiff_t>(i);
                batch const& r = results[table.store[W]];
                if constexpr (Partial) simd::store_from_partial<T>(r, p, lanes);
                else simd::store_from<T>(r, p);
            }(),
            ...);
    }

    template <std::size_t... S, std::size_t... O, std::size_t... W>
    [[gnu::noinline]] static void rows(run_context<P> const& c, std::size_t first_row, std::size_t last_row,
                                       std::size_t begin, std::size_t end, std::index_sequence<S...> sources,
                                       std::index_sequence<O...> ops, std::index_sequence<W...> stores) {
        const std::tuple bases{stream_base<static_cast<int>(S)>(c)...,
                               stream_base<static_cast<int>(sizeof...(S) + W)>(c)...};
        constexpr std::size_t all = sizeof...(S) + sizeof...(W);
        constexpr std::size_t outer = dimensions > 1 ? static_cast<std::size_t>(dimensions) - 1 : 0;
        // Strides of every stream along the outer dimensions, and along the inner one.
        std::ptrdiff_t outer_stride[outer + 1][all + 1] = {}, inner_stride[all + 1] = {}, offsets[all + 1] = {};
        std::size_t extent[outer + 1] = {}, at[outer + 1] = {};
        [&]<std::size_t... D>(std::index_sequence<D...>) {
            ((extent[D] = extent_of_list<P, table.dimension[D]>(c)), ...);
        }(std::make_index_sequence<outer>{});
        [&]<std::size_t... A>(std::index_sequence<A...>) {
            (
                [&] {
                    for (std::size_t d = 0; d < outer; ++d)
                        outer_stride[d][A] = stream_stride<static_cast<int>(A)>(c, static_cast<int>(d));
                    if (dimensions > 0) inner_stride[A] = stream_stride<static_cast<int>(A)>(c, dimensions - 1);
                }(),
                ...);
        }(std::make_index_sequence<all>{});
        std::size_t rest = first_row;
        for (std::size_t d = outer; d-- > 0;) {
            at[d] = rest % extent[d];
            rest /= extent[d];
            for (std::size_t s = 0; s < all; ++s) offsets[s] += static_cast<std::ptrdiff_t>(at[d]) * outer_stride[d][s];
        }
        std::uint64_t keys[sizeof...(S) + 1] = {};
        (
            [&] {
                if constexpr (P::image.nodes[table.source[S]].op == graph::kind::random)
                    keys[S] = random_key<static_cast<int>(S)>(c);
            }(),
            ...);
        for (std::size_t row = first_row; row < last_row; ++row) {
            const batch fixed[sizeof...(S) + 1] = {fixed_source<static_cast<int>(S)>(c, bases, offsets[S])...};
            std::size_t i = begin;
            for (; i + width <= end; i += width)
                body<false>(bases, keys, offsets, inner_stride, i, width, fixed, sources, ops, stores);
            if (i < end) body<true>(bases, keys, offsets, inner_stride, i, end - i, fixed, sources, ops, stores);
            for (std::size_t d = outer; d-- > 0;) {
                for (std::size_t s = 0; s < all; ++s) offsets[s] += outer_stride[d][s];
                if (++at[d] < extent[d]) break;
                for (std::size_t s = 0; s < all; ++s)
                    offsets[s] -= static_cast<std::ptrdiff_t>(extent[d]) * outer_stride[d][s];
                at[d] = 0;
            }
        }
    }

public:
    static void run(run_context<P> const& c) {
        std::size_t row_count = 1, length = 1;
        [&]<std::size_t... D>(std::index_sequence<D...>) {
            ((row_count *=
              static_cast<int>(D) + 1 < dimensions ? std::size_t{extent_of_list<P, table.dimension[D]>(c)} : 1),
             ...);
        }(std::make_index_sequence<static_cast<std::size_t>(dimensions)>{});
        if constexpr (dimensions > 0) length = extent_of_list<P, inner>(c);
        constexpr auto sources = std::make_index_sequence<static_cast<std::size_t>(table.source_count)>{};
        constexpr auto ops = std::make_index_sequence<static_cast<std::size_t>(table.op_count)>{};
        constexpr auto stores = std::make_index_sequence<static_cast<std::size_t>(table.store_count)>{};
        // About 10 us of work a task at least.
        constexpr std::size_t grain = std::size_t{1} << 14;
        if (row_count == 1)
            parallel_for(length, grain, [&](std::size_t first, std::size_t last) {
                rows(c, 0, 1, first, last, sources, ops, stores);
            });
        else
            parallel_for(row_count, std::max<std::size_t>(1, grain / length), [&](std::size_t first, std::size_t last) {
                rows(c, first, last, 0, length, sources, ops, stores);
            });
    }
};

}  // namespace tenet::detail
