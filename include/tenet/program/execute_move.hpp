// SPDX-License-Identifier: MIT
// program: what moves numbers: look-ups, copies, padding, concatenation, gradients into their block.
#pragma once

#include <string>

#include <tenet/kernel/copy.hpp>
#include <tenet/kernel/gather.hpp>
#include <tenet/program/execute_product.hpp>
#include <tenet/program/node_access.hpp>

namespace tenet::detail {

template <class P, int Id>
void run_gather(run_context<P> const& c) {
    using T = typename P::spec::real_type;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr bool scatter = n.op == kind::scatter_add_rows;
    constexpr int Table = scatter ? Id : n.input[0], Index = n.input[1], Rows = scatter ? n.input[0] : Id;
    constexpr axis_list fresh = graph::minus(P::image.nodes[Index].axes, n.physical);
    constexpr axis_list rest = graph::minus(graph::minus(P::image.nodes[Table].axes, n.physical), n.over);
    const auto entries = extent_of_list<P, n.physical>(c);
    const auto count = extent_of_list<P, fresh>(c);
    const auto rows = extent_of_list<P, n.over>(c);
    const auto width = extent_of_list<P, rest>(c);
    auto* const table = address<P, Table>(c);
    std::int32_t const* const index = address<P, Index>(c);
    auto* const out = address<P, Rows>(c);
    if constexpr (!scatter) {
        std::ptrdiff_t bad = -1;
        if constexpr (is_stored<P, Table>) {
            bad = kernel::gather_quantized_rows<T>(stored_at<P, Table>(c), index, out, count, rows, width);
        } else if constexpr (rest.rank == 0 && n.physical.rank > 0) {
            bad = kernel::gather_along<T>(table, index, out, entries, rows, count, constant<1>{});
        } else {
            for (std::size_t e = 0; e < entries && bad < 0; ++e) {
                bad = kernel::gather_rows<T>(table + e * rows * width, index + e * count, out + e * count * width,
                                             count, rows, width);
                if (bad >= 0) bad += static_cast<std::ptrdiff_t>(e * count);
            }
        }
        if (bad >= 0) bad_index<P, Id>("lookup at position " + std::to_string(bad), index[bad], rows);
    } else {
        const bool add = accumulates<P, Id>(c);
        for (std::size_t e = 0; e < entries; ++e)
            kernel::scatter_add_rows<T>(out + e * count * width, index + e * count, table + e * rows * width, count,
                                        rows, width, add);
    }
}

// Copies node `Source` to memory with the given strides of the axes of node `Shape`, or adds it to what is there.
template <class P, int Source, int Shape, class Element>
void copy_by_axes(run_context<P> const& c, Element const* from, Element* to,
                  std::array<std::ptrdiff_t, 8> const& target_strides, bool add) {
    constexpr axis_list axes = P::image.nodes[Shape].axes;
    std::array<std::size_t, 8> extents{};
    std::array<std::ptrdiff_t, 8> source{};
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((extents[I] = c.size(extent_of<P>(axes[I]))), ...);
        ((source[I] = c.stride(stride_of<P>(Source, axes[I]))), ...);
    }(std::make_index_sequence<axes.rank>{});
    if constexpr (std::is_floating_point_v<Element>) {
        if (add) {
            kernel::add_strided<Element>(from, to, extents, source, target_strides, axes.rank);
            return;
        }
    }
    kernel::copy_strided<Element>(from, to, extents, source, target_strides, axes.rank);
}

template <class P, int Id>
std::array<std::ptrdiff_t, 8> own_strides(run_context<P> const& c) {
    std::array<std::ptrdiff_t, 8> strides{};
    constexpr graph::node n = P::image.nodes[Id];
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((strides[I] = c.stride(stride_of<P>(Id, n.axes[I]))), ...);
    }(std::make_index_sequence<n.axes.rank>{});
    return strides;
}

template <class P, int Id>
void run_pad(run_context<P> const& c) {
    using element = element_of<P, Id>;
    constexpr graph::node n = P::image.nodes[Id];
    element* to = address<P, Id>(c);
    kernel::fill<element>(to, extent_of_list<P, n.axes>(c), static_cast<element>(n.number[0]));
    // The part's axes lie at `position` among the result's.
    const auto all = own_strides<P, Id>(c);
    std::array<std::ptrdiff_t, 8> target{};
    for (int p = 0; p < n.axes.rank; ++p) to += n.start[p] * all[static_cast<std::size_t>(p)];
    for (int i = 0; i < P::image.nodes[n.input[0]].axes.rank; ++i)
        target[static_cast<std::size_t>(i)] = all[n.position[i]];
    copy_by_axes<P, n.input[0], n.input[0], element>(c, address<P, n.input[0]>(c), to, target, false);
}

template <class P, int Id>
void run_concat(run_context<P> const& c) {
    using element = element_of<P, Id>;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr int k = n.axes.find(n.over[0]);
    const auto all = own_strides<P, Id>(c);
    element* to = address<P, Id>(c);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (
            [&] {
                constexpr int X = n.input[I];
                copy_by_axes<P, X, X, element>(c, address<P, X>(c), to, all, false);
                to += static_cast<std::ptrdiff_t>(P::image.capacity(P::image.nodes[X].axes[k])) *
                      all[static_cast<std::size_t>(k)];
            }(),
            ...);
    }(std::make_index_sequence<n.input_count>{});
}

template <class P, int Id>
void run_sink(run_context<P> const& c) {
    using T = typename P::spec::real_type;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr int X = n.input[0], Leaf = n.input[1];
    T* const to = reinterpret_cast<T*>(located<P, Id>(c));
    const bool add = accumulates<P, Id>(c);
    constexpr graph::node leaf = P::image.nodes[Leaf];
    if constexpr (!P::image.is_static(leaf.axes))
        if (!add) kernel::fill<T>(to, P::image.capacity(leaf.axes), T{0});
    copy_by_axes<P, X, Leaf, T>(c, address<P, X>(c), to, own_strides<P, Leaf>(c), add);
}

}  // namespace tenet::detail
