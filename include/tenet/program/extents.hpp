// SPDX-License-Identifier: MIT
// program: the run-time extents of a step: taken from the inputs, checked against each other, derived where an
// operation makes one axis of others.
#pragma once

#include <string>

#include <tenet/base/exception.hpp>
#include <tenet/program/context.hpp>

namespace tenet::detail {

/// Notes that the axis `A` has the extent `n` in this step; throws `exception` if another input said otherwise.
template <class A, class P>
void bind_extent([[maybe_unused]] run_context<P>& c, [[maybe_unused]] std::size_t n) {
    if constexpr (!A::is_static) {
        for (std::size_t a = 0; a < P::image.axes.size(); ++a) {
            if (P::image.axes[a] != &axis_info_of<A>) continue;
            std::size_t& extent = c.extents[a];
            if (extent != 0 && extent != n)
                fail_expectation("extent of axis " + std::string(P::image.axes[a]->name), std::to_string(extent),
                                 std::to_string(n));
            extent = n;
        }
    }
}

/// Fills in the extents that follow from others; axes that no input has are at their capacity.
template <class P>
void derive_extents(run_context<P>& c) {
    constexpr auto const& image = P::image;
    for (graph::extent_rule const& rule : image.rules) {
        std::size_t n = 1;
        for (int i = 0; i < rule.factors.rank; ++i) {
            const auto a = static_cast<std::size_t>(rule.factors[i]);
            const std::size_t extent = c.extents[a];
            n *= image.axes[a]->is_static || extent == 0 ? image.axes[a]->capacity : extent;
        }
        std::size_t& extent = c.extents[static_cast<std::size_t>(rule.axis)];
        if (extent != 0 && extent != n)
            fail_expectation("extent of axis " + std::string(image.axes[static_cast<std::size_t>(rule.axis)]->name),
                             std::to_string(n), std::to_string(extent));
        extent = n;
    }
    for (std::size_t a = 0; a < image.axes.size(); ++a)
        if (c.extents[a] == 0) c.extents[a] = image.axes[a]->capacity;
}

/// The run-time extents of the list of axes of node `Id`.
template <class P, int Id, std::size_t Rank>
std::array<std::size_t, Rank> extents_of(run_context<P> const& c) {
    constexpr graph::axis_list all = P::image.nodes[static_cast<std::size_t>(Id)].axes;
    std::array<std::size_t, Rank> extents{};
    for (std::size_t i = 0; i < Rank; ++i) {
        const int a = all[static_cast<int>(i)];
        extents[i] = P::image.is_static(a) ? P::image.capacity(a) : c.extents[static_cast<std::size_t>(a)];
    }
    return extents;
}

}  // namespace tenet::detail
