// SPDX-License-Identifier: MIT
// program: runs a model's code in a constant expression and differentiates what it leaves behind.
#pragma once

#include <tuple>
#include <utility>

#include <tenet/graph/differentiate.hpp>
#include <tenet/graph/prune.hpp>
#include <tenet/graph/rearrange.hpp>
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
        p.format = l.format;
        p.columns = l.columns;
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

}  // namespace tenet::detail
