// SPDX-License-Identifier: MIT
// program: runs a model's code in a constant expression, differentiates what it leaves behind, and freezes the planned
// graph into arrays of exactly the right size.
#pragma once

#include <array>
#include <tuple>
#include <utility>

#include <tenet/graph/cost.hpp>
#include <tenet/graph/plan.hpp>
#include <tenet/program/spec.hpp>

namespace tenet::detail {

/// Ties the parameters of a model to slots of the program.
struct binder {
    graph::builder& graph;
    int slot;
    int stacks;

    template <class S>
    constexpr int enter(S& s) {
        s.number = stacks++;
        return s.number;
    }
    template <class... A>
    constexpr void leaf(parameter<A...>& p, no_path, surroundings const&) {
        p.bind(graph, slot++);
    }
};

template <class Model>
constexpr int bind_model(graph::builder& g, Model& m, int set, int stack_base) {
    binder b{g, static_cast<int>(g.parameters.size()), stack_base};
    int leaf = 0;
    for (parameter_leaf const& l : parameter_leaves<Model>) {
        graph::parameter_slot p;
        p.set = set;
        p.leaf = leaf++;
        p.offset = l.offset;
        p.elements = l.elements;
        p.padded = l.padded;
        p.levels = l.levels;
        for (int k = 0; k < 4; ++k) p.trips[k] = l.trips[k];
        p.stack = l.stack < 0 ? -1 : stack_base + l.stack;  // an adapter's parameters take the region of the weight
        p.path = l.path.view();
        p.role = l.role.view();
        p.adapts = l.adapts.view();
        g.parameters.push_back(p);
    }
    if constexpr (requires { m.bind_adapter(g, set); }) m.bind_adapter(g, set);
    else visit(m, no_path{}, surroundings{}, b);
    return b.stacks;
}

template <class... M>
constexpr void bind_models(graph::builder& g, std::tuple<M...>& models) {
    int set = 0, stacks = 0;
    std::apply([&](auto&... m) { ((stacks = bind_model(g, m, set++, stacks)), ...); }, models);
}

template <class Input>
constexpr typename Input::symbol_type emit_input(graph::builder& g, int number) {
    graph::node n;
    n.op = graph::kind::input;
    n.type = Input::type;
    n.axes = axis_ids<typename Input::axes_type>::in(g);
    n.integer[0] = number;
    n.frozen = !Input::differentiated;
    return typename Input::symbol_type(graph::value(g, g.emit(n)));
}

constexpr void keep_outputs(graph::builder&, poison) {}
template <dtype T, class L>
constexpr void keep_outputs(graph::builder& g, symbol<T, L> y) {
    // What leaves the program is dense memory of its own.
    graph::value v = graph::dense(graph::in_memory(y.value()));
    const graph::kind k = v.get().op;
    bool own = graph::detail::owns_memory(k);
    for (int id : g.outputs) own = own && id != v.id();
    if (k == graph::kind::parameter || k == graph::kind::input || (g.external_outputs && !own)) v = graph::own_copy(v);
    g.outputs.push_back(v.id());
}
template <class... S>
constexpr void keep_outputs(graph::builder& g, std::tuple<S...> const& all) {
    std::apply([&](auto const&... y) { (keep_outputs(g, y), ...); }, all);
}

/// The gradients of the first output: parameters' into sinks, differentiated inputs' as further outputs.
constexpr void add_gradients(graph::builder& g) {
    list<int> wanted, inputs;
    for (std::size_t i = 0; i < g.nodes.size(); ++i) {
        graph::node const& n = g.nodes[i];
        if ((n.op != graph::kind::parameter && n.op != graph::kind::input) || n.frozen) continue;
        wanted.push_back(static_cast<int>(i));
        if (n.op == graph::kind::input) inputs.push_back(static_cast<int>(i));
    }
    graph::reverse_sweep sweep(g, wanted, true);
    const int end = static_cast<int>(g.nodes.size());
    if (!sweep.active(g.outputs[0])) {
        g.fail(graph::failure::nothing_to_train, "");
        return;
    }
    sweep.seed(g.outputs[0], graph::constant(g, 1));
    sweep.run(0, end);
    for (int id : inputs) {
        const int dx = sweep.cotangent_of(id);
        const graph::axis_list axes = g.at(id).axes;
        const graph::value v = dx >= 0 ? graph::value(g, dx) : graph::zeros(g, axes);
        g.outputs.push_back(graph::own_copy(graph::dense(graph::arrange(graph::in_memory(v), axes))).id());
    }
}

template <class Spec>
constexpr graph::builder trace() {
    graph::builder g;
    g.training = Spec::mode == program_mode::training;
    g.external_outputs = Spec::external_outputs;
    typename Spec::models_type models{};
    bind_models(g, models);
    [&]<std::size_t... I, std::size_t... K>(std::index_sequence<I...>, std::index_sequence<K...>) {
        std::tuple<typename std::tuple_element_t<I, typename Spec::inputs_type>::symbol_type...> inputs{
            emit_input<std::tuple_element_t<I, typename Spec::inputs_type>>(g, static_cast<int>(I))...};
        keep_outputs(g, typename Spec::function_type{}(std::get<K>(models)..., std::get<I>(inputs)...));
    }(std::make_index_sequence<Spec::input_count>{}, std::make_index_sequence<Spec::model_count>{});
    if (Spec::mode != program_mode::forward && g.problem == graph::failure::none) add_gradients(g);
    return g;
}

struct image_sizes {
    std::size_t nodes, axes, regions, rules, outputs, steps, trainable, buffers, parameters, groups, members, carries;
    graph::failure problem;
    std::size_t problem_length;
};

/// The planned graph with all its tables, while it grows.
struct pipeline {
    graph::builder graph;
    graph::fusion groups;
    graph::plan plan;

    constexpr image_sizes sizes() const {
        std::size_t members = 0;
        for (auto const& m : groups.members) members += m.size();
        return {graph.nodes.size(),
                graph.axes.size(),
                graph.regions.size(),
                graph.rules.size(),
                graph.outputs.size(),
                plan.steps.size(),
                plan.trainable.size(),
                plan.buffers.size(),
                graph.parameters.size(),
                groups.members.size(),
                members,
                graph.carries.size(),
                graph.problem,
                graph.problem_at.size()};
    }
};

template <class Spec>
constexpr pipeline build() {
    pipeline p{trace<Spec>(), {}, {}};
    if (p.graph.problem != graph::failure::none) return p;
    graph::prune(p.graph);
    p.groups = graph::fuse(p.graph);
    p.plan = graph::planner(p.graph, p.groups, sizeof(typename Spec::real_type)).run();
    return p;
}

/// A program as a constant: the graph, the plan and the steps.
template <image_sizes Size>
struct program_image {
    std::array<graph::node, Size.nodes> nodes{};
    std::array<axis_info const*, Size.axes> axes{};
    std::array<graph::region, Size.regions> regions{};
    std::array<graph::extent_rule, Size.rules> rules{};
    std::array<int, Size.outputs> outputs{};
    std::array<graph::location, Size.nodes> locations{};
    std::array<graph::step, Size.steps> steps{};
    std::array<graph::trainable_slot, Size.trainable> trainable{};
    std::array<graph::buffer, Size.buffers> buffers{};
    std::array<graph::parameter_slot, Size.parameters> parameters{};
    std::array<graph::carry, Size.carries> carries{};
    std::array<int, Size.nodes> group{};
    std::array<int, Size.groups + 1> group_begin{};
    std::array<int, Size.members> members{};
    std::array<char, Size.nodes> skipped{};
    std::array<int, Size.nodes> direct_sink{};
    std::size_t arena_bytes = 0;
    std::size_t gradient_elements = 0;
    int families = 0;
    double flops = 0;

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

template <class Container, class Array>
constexpr void copy_into(Container const& from, Array& to) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = from[i];
}

template <class Spec, image_sizes Size>
constexpr program_image<Size> freeze() {
    const pipeline p = build<Spec>();
    program_image<Size> image;
    copy_into(p.graph.nodes, image.nodes);
    // Rules of differentiation have done their work: a look at the graph at run time must not link them.
    for (graph::node& n : image.nodes) n.vjp = nullptr;
    copy_into(p.graph.axes, image.axes);
    copy_into(p.graph.regions, image.regions);
    copy_into(p.graph.rules, image.rules);
    copy_into(p.graph.outputs, image.outputs);
    copy_into(p.graph.parameters, image.parameters);
    copy_into(p.graph.carries, image.carries);
    copy_into(p.plan.locations, image.locations);
    copy_into(p.plan.steps, image.steps);
    copy_into(p.plan.trainable, image.trainable);
    copy_into(p.plan.buffers, image.buffers);
    copy_into(p.groups.group, image.group);
    copy_into(p.plan.skipped, image.skipped);
    copy_into(p.plan.direct_sink, image.direct_sink);
    std::size_t k = 0;
    for (std::size_t g = 0; g < p.groups.members.size(); ++g) {
        image.group_begin[g] = static_cast<int>(k);
        for (int m : p.groups.members[g]) image.members[k++] = m;
    }
    image.group_begin[p.groups.members.size()] = static_cast<int>(k);
    image.arena_bytes = p.plan.arena_bytes;
    image.gradient_elements = p.plan.gradient_elements;
    image.families = p.graph.families;
    image.flops = graph::total_flops(image);
    return image;
}

template <class Spec>
struct compiled {
    static constexpr image_sizes sizes = build<Spec>().sizes();
    static constexpr bool sound = sizes.problem == graph::failure::none;
};

/// The code that a node runs, if it is one of an open set.
struct node_code {
    graph::elementwise_info const* function = nullptr;
    graph::custom_info const* primitive = nullptr;
};

// The graph with its descriptors: for constant evaluation only. Their vjp's would otherwise be linked into every
// program that looks at a table of the plan at run time.
template <class Spec>
inline constexpr auto whole_image = freeze<Spec, compiled<Spec>::sizes>();

template <class Spec>
inline constexpr auto image_of = [] {
    auto image = whole_image<Spec>;
    for (graph::node& n : image.nodes) {
        n.function = nullptr;
        n.primitive = nullptr;
    }
    return image;
}();

template <class Spec>
inline constexpr auto codes_of = [] {
    std::array<node_code, compiled<Spec>::sizes.nodes> codes{};
    for (std::size_t i = 0; i < codes.size(); ++i)
        codes[i] = {whole_image<Spec>.nodes[i].function, whole_image<Spec>.nodes[i].primitive};
    return codes;
}();

}  // namespace tenet::detail
