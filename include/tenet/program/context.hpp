// SPDX-License-Identifier: MIT
// program: what a step knows at run time: base addresses, extents, loop indices, the seed; and how constants of the
// plan become addresses and sizes. Whatever is static stays a constant of the type.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenet/base/constant.hpp>
#include <tenet/base/macros.hpp>
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

    /// A size or a stride of the plan, as it is in this run.
    std::size_t size(graph::extent_product const& n) const { return n.in(extents.data()); }
    std::ptrdiff_t stride(graph::extent_product const& n) const { return static_cast<std::ptrdiff_t>(size(n)); }
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
        constexpr graph::extent_product elements = graph::elements_along(P::image, List);
        return c.size(elements);
    }
}

/// The extent of an axis.
template <class P>
consteval graph::extent_product extent_of(int axis) {
    graph::extent_product n;
    n.multiply(P::image, axis, true);
    return n;
}

/// The stride of axes of node `id` that are walked as one, in elements; 0 if it lacks the innermost.
template <class P>
consteval graph::extent_product stride_of(int id, graph::axis_list const& axes) {
    return graph::stride_along(P::image, P::image.nodes[static_cast<std::size_t>(id)], axes);
}
template <class P>
consteval graph::extent_product stride_of(int id, int axis) {
    graph::axis_list one;
    one.push(axis);
    return stride_of<P>(id, one);
}

/// The offset of a node's first element from the start of its memory, in elements.
template <class P, int Id>
constexpr std::size_t start_offset([[maybe_unused]] run_context<P> const& c) {
    std::size_t offset = 0;
    if constexpr (P::image.nodes[Id].op == graph::kind::view) {
        constexpr graph::geometry g = graph::geometry_of(P::image.nodes[Id]);
        for (int p = 0; p < g.physical.rank; ++p)
            if (g.start[p] != 0)
                offset += static_cast<std::size_t>(g.start[p]) * c.size(graph::stride_at(P::image, g, p));
    }
    return offset;
}

/// The memory that a location is in.
template <class P>
TENET_INLINE std::byte* memory_of(run_context<P> const& c, graph::space in, int set) {
    const auto number = static_cast<std::size_t>(set);
    switch (in) {
    case graph::space::arena: return c.arena;
    case graph::space::gradients: return c.gradients;
    case graph::space::parameters: return c.parameters[number];
    case graph::space::input: return const_cast<std::byte*>(c.inputs[number]);  // never written to
    case graph::space::state: return c.state;
    case graph::space::output: return c.outputs[number];
    case graph::space::none: break;
    }
    return nullptr;
}

/// What the iteration under way adds to the offset of a location within loops, in bytes.
inline std::size_t offset_in_loops(int const* index, graph::address_level const* levels, int count) {
    std::size_t offset = 0;
    for (int k = 0; k < count; ++k) {
        graph::address_level const& level = levels[k];
        int slot = index[level.family];
        if (level.mod > 0) {
            if (level.reversed) slot = level.trips - 1 - slot;
            slot = (slot + level.shift) % level.mod;
        }
        offset += static_cast<std::size_t>(slot) * level.stride;
    }
    return offset;
}

/// The address that the location of node `Id` stands for; null if it has no memory.
template <class P, int Id>
TENET_INLINE std::byte* located(run_context<P> const& c) {
    constexpr auto& l = P::image.locations[static_cast<std::size_t>(Id)];
    std::byte* at = memory_of(c, l.in, l.set);
    if constexpr (l.in != graph::space::none) at += l.offset;
    if constexpr (l.level_count > 0) at += offset_in_loops(c.index.data(), l.levels, l.level_count);
    return at;
}

/// The address of node `Id`'s first element, as a byte.
template <class P, int Id>
std::byte* first_byte(run_context<P> const& c) {
    std::byte* at = located<P, Id>(c);
    if constexpr (P::image.nodes[Id].op == graph::kind::view) at += start_offset<P, Id>(c) * sizeof(element_of<P, Id>);
    return at;
}

/// The address of node `Id`'s first element.
template <class P, int Id>
TENET_INLINE element_of<P, Id>* address(run_context<P> const& c) {
    static_assert(P::image.locations[static_cast<std::size_t>(Id)].in != graph::space::none,
                  "a value without memory is read: a defect of the planner");
    return reinterpret_cast<element_of<P, Id>*>(first_byte<P, Id>(c));
}

}  // namespace tenet::detail
