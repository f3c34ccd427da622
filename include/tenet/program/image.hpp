// SPDX-License-Identifier: MIT
// program: the stages of the compiler, each a constant evaluation of its own whose result is frozen into arrays of
// exactly the right size: trace (with gradients), layout (pruned, fused, with the life of every buffer), placement.
// One evaluation for all would exceed the steps that clang allows for a deep graph that is not a stack.
#pragma once

#include <array>

#include <tenet/graph/cost.hpp>
#include <tenet/graph/in_place.hpp>
#include <tenet/graph/place.hpp>
#include <tenet/graph/plan.hpp>
#include <tenet/graph/planner.hpp>
#include <tenet/program/epilogue.hpp>
#include <tenet/program/rounding.hpp>
#include <tenet/program/trace.hpp>

namespace tenet::detail {

template <class Container, class Array>
constexpr void copy_into(Container const& from, Array& to) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = from[i];
}
template <class Array, class T>
constexpr void copy_out_of(Array const& from, list<T>& to) {
    to.clear();
    to.reserve(from.size());
    for (T const& x : from) to.push_back(x);
}

struct traced_sizes {
    std::size_t nodes, axes, regions, rules, outputs, parameters, carries;
    graph::failure problem;
    std::size_t problem_length;

    static constexpr traced_sizes of(graph::builder const& g) {
        return {g.nodes.size(),      g.axes.size(),    g.regions.size(), g.rules.size(),     g.outputs.size(),
                g.parameters.size(), g.carries.size(), g.problem,        g.problem_at.size()};
    }
};

/// The graph with its gradients, before anything is decided about memory.
template <traced_sizes Size>
struct traced_image {
    std::array<graph::node, Size.nodes> nodes{};
    std::array<axis_info const*, Size.axes> axes{};
    std::array<graph::region, Size.regions> regions{};
    std::array<graph::extent_rule, Size.rules> rules{};
    std::array<int, Size.outputs> outputs{};
    std::array<graph::parameter_slot, Size.parameters> parameters{};
    std::array<graph::carry, Size.carries> carries{};
    int families = 0;
    bool external_outputs = false;

    constexpr void take(graph::builder const& g) {
        copy_into(g.nodes, nodes);
        // Rules of differentiation have done their work: a look at the graph at run time must not link them.
        for (graph::node& n : nodes) n.vjp = nullptr;
        copy_into(g.axes, axes);
        copy_into(g.regions, regions);
        copy_into(g.rules, rules);
        copy_into(g.outputs, outputs);
        copy_into(g.parameters, parameters);
        copy_into(g.carries, carries);
        families = g.families;
        external_outputs = g.external_outputs;
    }
    constexpr graph::builder give() const {
        graph::builder g;
        copy_out_of(nodes, g.nodes);
        copy_out_of(axes, g.axes);
        copy_out_of(regions, g.regions);
        copy_out_of(rules, g.rules);
        copy_out_of(outputs, g.outputs);
        copy_out_of(parameters, g.parameters);
        copy_out_of(carries, g.carries);
        g.families = families;
        g.external_outputs = external_outputs;
        return g;
    }

    constexpr graph::node const& at(int id) const { return nodes[static_cast<std::size_t>(id)]; }
    constexpr std::size_t capacity(int axis) const { return axes[static_cast<std::size_t>(axis)]->capacity; }
    constexpr bool is_static(int axis) const { return axes[static_cast<std::size_t>(axis)]->is_static; }
    constexpr bool is_static(graph::axis_list const& list) const {
        for (int i = 0; i < list.rank; ++i)
            if (!is_static(list[i])) return false;
        return true;
    }
    constexpr std::size_t capacity(graph::axis_list const& list) const {
        std::size_t n = 1;
        for (int i = 0; i < list.rank; ++i) n *= capacity(list[i]);
        return n;
    }
};

/// The first stage.
template <class Spec>
struct traced {
    static constexpr traced_sizes sizes = traced_sizes::of(trace<Spec>());
    static constexpr bool sound = sizes.problem == graph::failure::none;
};
template <class Spec>
inline constexpr auto traced_image_of = [] {
    traced_image<traced<Spec>::sizes> image;
    image.take(trace<Spec>());
    return image;
}();

/// The second stage, while its tables grow: which nodes share a loop, the steps in order, the life of every buffer.
struct laid_out {
    graph::builder graph;
    graph::fusion groups;
    graph::plan plan;
};
template <class Spec>
constexpr laid_out fuse() {
    laid_out l{traced_image_of<Spec>.give(), {}, {}};
    graph::prune(l.graph);
    l.groups = graph::fuse(l.graph);
    absorb_products(l.graph, l.groups);
    return l;
}
// An evaluation of its own, with room for nodes that are pruned.
template <class Spec>
inline constexpr auto rounded_in = [] {
    std::array<char, traced<Spec>::sizes.nodes> rounded{};
    if constexpr (!std::is_same_v<typename Spec::storage_type, typename Spec::real_type>) {
        const laid_out l = fuse<Spec>();
        const list<char> found = rounded_values(l.graph, l.groups).find();
        for (std::size_t i = 0; i < found.size(); ++i) rounded[i] = found[i];
    }
    return rounded;
}();
template <class Spec>
constexpr laid_out lay_out() {
    laid_out l = fuse<Spec>();
    list<char> rounded(l.graph.nodes.size(), 0);
    for (std::size_t i = 0; i < rounded.size(); ++i) rounded[i] = rounded_in<Spec>[i];
    l.plan = graph::planner(l.graph, l.groups, sizeof(typename Spec::real_type), rounded).run();
    graph::reuse_operands(l.graph, l.groups, l.plan);
    return l;
}

struct image_sizes {
    traced_sizes graph;
    std::size_t steps, trainable, buffers, groups, members;

    static constexpr image_sizes of(laid_out const& l) {
        std::size_t members = 0;
        for (auto const& m : l.groups.members) members += m.size();
        return {traced_sizes::of(l.graph), l.plan.steps.size(),     l.plan.trainable.size(),
                l.plan.buffers.size(),     l.groups.members.size(), members};
    }
};

/// A program as a constant: the graph, the plan and the steps.
template <image_sizes Size>
struct program_image : traced_image<Size.graph> {
    std::array<graph::location, Size.graph.nodes> locations{};
    std::array<int, Size.graph.nodes> buffer_of{};
    std::array<char, Size.graph.nodes> rounded{};
    std::array<graph::step, Size.steps> steps{};
    std::array<graph::trainable_slot, Size.trainable> trainable{};
    std::array<graph::buffer, Size.buffers> buffers{};
    std::array<int, Size.graph.nodes> group{};
    std::array<int, Size.groups + 1> group_begin{};
    std::array<int, Size.members> members{};
    std::array<char, Size.graph.nodes> skipped{};
    std::array<int, Size.graph.nodes> direct_sink{};
    std::size_t arena_bytes = 0;
    std::size_t gradient_elements = 0;
    std::size_t state_bytes = 0;
    double flops = 0;

    constexpr void take(laid_out const& l) {
        traced_image<Size.graph>::take(l.graph);
        copy_into(l.plan.locations, locations);
        copy_into(l.plan.buffer_of, buffer_of);
        copy_into(l.plan.rounded, rounded);
        copy_into(l.plan.steps, steps);
        copy_into(l.plan.trainable, trainable);
        copy_into(l.plan.buffers, buffers);
        copy_into(l.groups.group, group);
        copy_into(l.plan.skipped, skipped);
        copy_into(l.plan.direct_sink, direct_sink);
        std::size_t k = 0;
        for (std::size_t g = 0; g < l.groups.members.size(); ++g) {
            group_begin[g] = static_cast<int>(k);
            for (int m : l.groups.members[g]) members[k++] = m;
        }
        group_begin[l.groups.members.size()] = static_cast<int>(k);
        gradient_elements = l.plan.gradient_elements;
        state_bytes = l.plan.state_bytes;
    }
};

template <class Spec>
inline constexpr image_sizes image_sizes_of = image_sizes::of(lay_out<Spec>());
template <class Spec>
inline constexpr auto laid_out_image = [] {
    program_image<image_sizes_of<Spec>> image;
    image.take(lay_out<Spec>());
    return image;
}();

// The third stage, and the graph with its descriptors: for constant evaluation only. Their vjp's would otherwise be
// linked into every program that looks at a table of the plan at run time.
template <class Spec>
inline constexpr auto whole_image = [] {
    auto image = laid_out_image<Spec>;
    image.arena_bytes = graph::place_buffers(image.buffers);
    graph::resolve_locations(image);
    return image;
}();
template <class Spec>
inline constexpr double flops_of = graph::total_flops(whole_image<Spec>);

template <class Spec>
inline constexpr auto image_of = [] {
    auto image = whole_image<Spec>;
    image.flops = flops_of<Spec>;
    for (graph::node& n : image.nodes) {
        n.function = nullptr;
        n.primitive = nullptr;
    }
    return image;
}();

/// The code that a node runs, if it is one of an open set.
struct node_code {
    graph::elementwise_info const* function = nullptr;
    graph::custom_info const* primitive = nullptr;
};
template <class Spec>
inline constexpr auto codes_of = [] {
    std::array<node_code, image_sizes_of<Spec>.graph.nodes> codes{};
    for (std::size_t i = 0; i < codes.size(); ++i)
        codes[i] = {whole_image<Spec>.nodes[i].function, whole_image<Spec>.nodes[i].primitive};
    return codes;
}();

}  // namespace tenet::detail
