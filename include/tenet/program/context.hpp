// SPDX-License-Identifier: MIT
// program: what a step knows at run time: base addresses, extents, loop indices, the seed; and how constants of the
// plan become addresses and sizes. Whatever is static stays a constant of the type.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenet/base/constant.hpp>
#include <tenet/graph/geometry.hpp>
#include <tenet/program/image.hpp>

namespace tenet::detail {

/// The state of one run of a program.
template <class P>
struct run_context {
    static constexpr std::size_t axis_count = P::image.axes.size();
    std::byte* arena = nullptr;
    std::byte* gradients = nullptr;
    std::byte* state = nullptr;
    std::array<std::byte*, P::spec::model_count + 1> parameters{};
    std::array<std::byte const*, P::spec::input_count + 1> inputs{};
    std::array<std::byte*, P::image.outputs.size() + 1> outputs{};  ///< where results go that the caller has memory for
    std::array<std::size_t, axis_count + 1> extents{};
    std::array<int, 16> index{};      ///< by family: the layer of the iteration under way
    std::array<int, 16> iteration{};  ///< by family: how many iterations came before
    std::uint64_t seed = 0, step = 0;
};

/// The C++ type that holds elements of `Type` in a program over `Real`.
template <dtype Type, class Real>
struct storage_type {
    using type = Real;
};
template <class Real>
struct storage_type<dtype::int32, Real> {
    using type = std::int32_t;
};
template <class Real>
struct storage_type<dtype::int64, Real> {
    using type = std::int64_t;
};
template <class Real>
struct storage_type<dtype::boolean, Real> {
    using type = bool;
};
template <class Real>
struct storage_type<dtype::float32, Real> {
    using type = float;
};
template <class Real>
struct storage_type<dtype::float64, Real> {
    using type = double;
};

/// The C++ type that node `Id` is stored in.
template <class P, int Id>
using element_of =
    typename storage_type<P::image.nodes[Id].type,
                          std::conditional_t<P::image.rounded[Id] != 0, bfloat16, typename P::spec::real_type>>::type;

/// The number of elements along the axes `List`: a `constant` if all are static.
template <class P, graph::axis_list List>
constexpr auto extent_of_list([[maybe_unused]] run_context<P> const& c) {
    if constexpr (P::image.is_static(List)) {
        return constant<P::image.capacity(List)>{};
    } else {
        std::size_t n = 1;
        for (int i = 0; i < List.rank; ++i) n *= c.extents[static_cast<std::size_t>(List[i])];
        return n;
    }
}

/// The extent of one physical axis of a node: the run-time one where memory is packed, else the capacity.
template <class P>
constexpr std::size_t physical_extent(run_context<P> const& c, int axis, bool packed) {
    return packed && !P::image.is_static(axis) ? c.extents[static_cast<std::size_t>(axis)] : P::image.capacity(axis);
}

/// The stride of a node's axis, in elements.
template <class P>
constexpr std::size_t stride_of(run_context<P> const& c, graph::geometry const& g, int position) {
    std::size_t stride = 1;
    for (int p = g.physical.rank - 1; p > position; --p) stride *= physical_extent<P>(c, g.physical[p], g.packed);
    return stride;
}

/// The stride of the axis number `Axis` of node `Id`, in elements; 0 if it has no such axis.
template <class P, int Id, int Axis>
constexpr std::ptrdiff_t axis_stride(run_context<P> const& c) {
    constexpr graph::node n = P::image.nodes[Id];
    constexpr int k = n.axes.find(Axis);
    if constexpr (k < 0) {
        return 0;
    } else {
        constexpr graph::geometry g = graph::geometry_of(n);
        return static_cast<std::ptrdiff_t>(stride_of<P>(c, g, g.position[k]));
    }
}

/// The stride of a group of axes that are walked as one: that of the innermost.
template <class P, int Id, graph::axis_list List>
constexpr std::ptrdiff_t list_stride(run_context<P> const& c) {
    if constexpr (List.rank == 0) return 0;
    else return axis_stride<P, Id, List[List.rank - 1]>(c);
}

/// The offset of a node's first element from the start of its memory, in elements.
template <class P, int Id>
constexpr std::size_t start_offset([[maybe_unused]] run_context<P> const& c) {
    constexpr graph::node n = P::image.nodes[Id];
    if constexpr (n.op != graph::kind::view) {
        return 0;
    } else {
        constexpr graph::geometry g = graph::geometry_of(n);
        std::size_t offset = 0;
        for (int p = 0; p < g.physical.rank; ++p)
            if (g.start[p] != 0) offset += static_cast<std::size_t>(g.start[p]) * stride_of<P>(c, g, p);
        return offset;
    }
}

/// The address of node `Id`'s first element if it lies at `L`.
template <class P, int Id, graph::location L>
auto* address_at(run_context<P> const& c) {
    using element = element_of<P, Id>;
    std::byte* base = nullptr;
    if constexpr (L.in == graph::space::arena) base = c.arena;
    else if constexpr (L.in == graph::space::gradients) base = c.gradients;
    else if constexpr (L.in == graph::space::parameters) base = c.parameters[static_cast<std::size_t>(L.set)];
    else if constexpr (L.in == graph::space::input)
        base = const_cast<std::byte*>(c.inputs[static_cast<std::size_t>(L.set)]);  // never written to
    else if constexpr (L.in == graph::space::state) base = c.state;
    else if constexpr (L.in == graph::space::output) base = c.outputs[static_cast<std::size_t>(L.set)];
    else static_assert(L.in != graph::space::none, "a value without memory is read: a defect of the planner");
    std::size_t offset = L.offset;
    for (int k = 0; k < L.level_count; ++k) {
        graph::address_level const& level = L.levels[k];
        int slot = c.index[static_cast<std::size_t>(level.family)];
        if (level.mod > 0) {
            if (level.reversed) slot = level.trips - 1 - slot;
            slot = (slot + level.shift) % level.mod;
        }
        offset += static_cast<std::size_t>(slot) * level.stride;
    }
    return reinterpret_cast<element*>(base + offset) + start_offset<P, Id>(c);
}

/// The address of node `Id`'s first element.
template <class P, int Id>
auto* address(run_context<P> const& c) {
    constexpr graph::location l = P::image.locations[static_cast<std::size_t>(Id)];
    return address_at<P, Id, l>(c);
}

}  // namespace tenet::detail
