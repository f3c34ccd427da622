// SPDX-License-Identifier: MIT
// graph: where the elements of a node lie. A dense node is row-major over its own axes; a view looks into the memory
// of another node. Strides are products of extents, so they are described by positions and not by numbers.
#pragma once

#include <tenet/graph/extent_product.hpp>
#include <tenet/graph/node.hpp>

namespace tenet::graph {

/// Position of each axis of a node among the physical axes of the memory it lies in.
struct geometry {
    axis_list physical;
    std::uint8_t position[max_rank] = {};
    std::int32_t start[max_rank] = {};
    bool partial[max_rank] = {};
    bool packed = true;
};

/// The geometry of a node: its own for a view, row-major otherwise.
constexpr geometry geometry_of(node const& n) {
    geometry g;
    g.packed = n.packed;
    if (n.op == kind::view) {
        g.physical = n.physical;
        for (int i = 0; i < max_rank; ++i) {
            g.position[i] = n.position[i];
            g.start[i] = n.start[i];
            g.partial[i] = n.partial[i];
        }
        return g;
    }
    g.physical = n.axes;
    for (int i = 0; i < n.axes.rank; ++i) g.position[i] = static_cast<std::uint8_t>(i);
    return g;
}

/// The stride of the physical axis at `position`, in elements: run-time extents where memory is packed, else
/// capacities.
template <class Graph>
constexpr extent_product stride_at(Graph const& graph, geometry const& g, int position) {
    extent_product stride;
    for (int p = g.physical.rank - 1; p > position; --p) stride.multiply(graph, g.physical[p], g.packed);
    return stride;
}

/// The stride of a node's axes that are walked as one, which is that of the innermost; 0 if it lacks this axis.
template <class Graph>
constexpr extent_product stride_along(Graph const& graph, node const& n, axis_list const& axes) {
    const int k = axes.rank == 0 ? -1 : n.axes.find(axes[axes.rank - 1]);
    if (k < 0) return {0, {}};
    const geometry g = geometry_of(n);
    return stride_at(graph, g, g.position[k]);
}

/// Whether axes `outer` and `inner` (positions in the node's own list) can be walked as one, with one stride.
template <class Graph>
constexpr bool mergeable(Graph const& graph, axis_list const& axes, geometry const& g, int outer, int inner) {
    const int p = g.position[outer], q = g.position[inner];
    return p + 1 == q && !g.partial[q] && (g.packed || graph.is_static(axes[inner]));
}

/// Whether the node's elements lie row-major and without gaps over its own axes.
template <class Graph>
constexpr bool is_dense(Graph const& graph, node const& n) {
    if (n.op != kind::view)
        return n.packed || n.axes.rank == 0 || [&] {
            for (int i = 1; i < n.axes.rank; ++i)
                if (!graph.is_static(n.axes[i])) return false;
            return true;
        }();
    const geometry g = geometry_of(n);
    if (n.axes.rank == 0) return true;
    if (g.position[n.axes.rank - 1] + 1 != g.physical.rank) return false;
    if (g.partial[g.physical.rank - 1] && n.axes.rank > 1) return false;
    for (int i = 0; i + 1 < n.axes.rank; ++i)
        if (!mergeable(graph, n.axes, g, i, i + 1)) return false;
    return true;
}

}  // namespace tenet::graph
