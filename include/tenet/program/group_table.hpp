// SPDX-License-Identifier: MIT
// program: a group of element-wise nodes as a table: the streams of numbers that it reads and writes, what it computes
// of them, and the loops that it walks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <tenet/graph/fuse.hpp>
#include <tenet/graph/geometry.hpp>
#include <tenet/graph/plan.hpp>

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

    /// The node of a stream: the sources, then the stores.
    constexpr int stream(int s) const { return s < source_count ? source[s] : op[store[s - source_count]]; }
    /// Where argument `i` of operation `o` is among the values: the sources, then the results.
    constexpr int value(int o, int i) const {
        return argument[o][i].computed ? source_count + argument[o][i].at : argument[o][i].at;
    }
    /// The dimension that registers run along; empty for a single number.
    constexpr graph::axis_list inner() const {
        return dimension_count > 0 ? dimension[dimension_count - 1] : graph::axis_list{};
    }
};

template <class Image>
constexpr bool walks_together(Image const& image, graph::node const& n, int outer, int inner) {
    const int a = n.axes.find(outer), b = n.axes.find(inner);
    if (a < 0 && b < 0) return true;
    if (a < 0 || b < 0) return false;
    if (n.op == graph::kind::iota) return false;
    return graph::mergeable(image, n.axes, graph::geometry_of(n), a, b);
}

/// The table of the group whose last node is `last`.
template <class Image>
constexpr group_table make_group_table(Image const& image, int last) {
    group_table t;
    const int g = image.group[static_cast<std::size_t>(last)];
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
    const graph::axis_list axes = image.at(last).axes;
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

/// Where the numbers of a stream come from.
enum class stream_content : std::uint8_t { number, inverse_count, memory, position, random };
/// How a stream moves along the inner dimension.
enum class stream_step : std::uint8_t { none, unit, any };

struct stream_role {
    stream_content content = stream_content::memory;
    stream_step step = stream_step::none;
};

/// The role of node `n` in a loop whose inner dimension is `inner`.
constexpr stream_role role_of(graph::node const& n, graph::axis_list const& inner) {
    stream_role role;
    switch (n.op) {
    case graph::kind::constant: role.content = stream_content::number; break;
    case graph::kind::inverse_count: role.content = stream_content::inverse_count; break;
    case graph::kind::iota: role.content = stream_content::position; break;
    case graph::kind::random: role.content = stream_content::random; break;
    default: break;
    }
    const int k = inner.rank == 0 ? -1 : n.axes.find(inner[inner.rank - 1]);
    if (k >= 0) {
        const graph::geometry g = graph::geometry_of(n);
        role.step = g.position[k] + 1 == g.physical.rank ? stream_step::unit : stream_step::any;
    }
    return role;
}

}  // namespace tenet::detail
