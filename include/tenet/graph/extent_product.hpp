// SPDX-License-Identifier: MIT
// graph: a size or stride whose factors are known while a program is compiled, but for the extents that vary by run.
#pragma once

#include <cstddef>

#include <tenet/graph/node.hpp>

namespace tenet::graph {

/// `fixed` times the run-time extents of `factors`.
struct extent_product {
    std::size_t fixed = 1;
    axis_list factors;  ///< positions in the graph's table of axes

    /// Multiplies by the extent of an axis: the run-time one if `varies`, else the capacity.
    template <class Graph>
    constexpr void multiply(Graph const& graph, int axis, bool varies) {
        if (varies && !graph.is_static(axis)) factors.push(axis);
        else fixed *= graph.capacity(axis);
    }
    /// The number that it is in a run. `extents`: by position in the graph's table of axes.
    constexpr std::size_t in(std::size_t const* extents) const {
        std::size_t n = fixed;
        for (int i = 0; i < factors.rank; ++i) n *= extents[factors[i]];
        return n;
    }
};

/// The number of elements along the axes of a list.
template <class Graph>
constexpr extent_product elements_along(Graph const& graph, axis_list const& axes) {
    extent_product n;
    for (int i = 0; i < axes.rank; ++i) n.multiply(graph, axes[i], true);
    return n;
}

}  // namespace tenet::graph
