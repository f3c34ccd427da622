// SPDX-License-Identifier: MIT
// program: reading named intermediate values after a step.
#pragma once

#include <string>

#include <tenet/base/exception.hpp>
#include <tenet/base/fixed_string.hpp>
#include <tenet/program/context.hpp>
#include <tenet/tensor/named_array.hpp>

namespace tenet::detail {

/// The node named `Name` in the program, the `occurrence`-th in the order of the trace; -1 if there is none.
template <class P, fixed_string Name>
constexpr int tapped_node(int occurrence) {
    for (std::size_t i = 0; i < P::image.nodes.size(); ++i)
        if (P::image.nodes[i].tap == Name.view() && occurrence-- == 0) return static_cast<int>(i);
    return -1;
}

template <class P, int Id>
named_array tapped_array(run_context<P> context, std::string name, std::size_t layer) {
    constexpr graph::node n = P::image.nodes[static_cast<std::size_t>(Id)];
    std::size_t layers = 1;
    for (int r = n.region; r >= 0; r = P::image.regions[static_cast<std::size_t>(r)].parent) {
        graph::region const& loop = P::image.regions[static_cast<std::size_t>(r)];
        if (!loop.loop) continue;
        context.index[static_cast<std::size_t>(loop.family)] =
            static_cast<int>(layer / layers % static_cast<std::size_t>(loop.trips));
        layers *= static_cast<std::size_t>(loop.trips);
    }
    if (layer >= layers)
        fail_expectation("tap " + name, "a layer below " + std::to_string(layers), std::to_string(layer));
    constexpr dtype type = n.type == dtype::real ? dtype_of<typename P::real_type> : n.type;
    named_array a{std::move(name), type, {}, address<P, Id>(context)};
    for (int i = 0; i < n.axes.rank; ++i) {
        const auto axis = static_cast<std::size_t>(n.axes[i]);
        a.shape.push_back(P::image.axes[axis]->is_static ? P::image.axes[axis]->capacity : context.extents[axis]);
    }
    return a;
}

}  // namespace tenet::detail
