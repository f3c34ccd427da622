// SPDX-License-Identifier: MIT
// graph: reverse mode over the flat graph. The gradient is emitted as ordinary nodes, so that it is fused, planned and
// costed like the forward pass and can be differentiated again. A loop's backward is a loop that runs the other way
// over the same index; a checkpoint's backward begins with a clone of its forward nodes.
#pragma once

#include <tenet/base/list.hpp>

#include <tenet/graph/arithmetic.hpp>

namespace tenet::graph {

/// One reverse sweep over a part of a graph.
class reverse_sweep {
public:
    /// Prepares a sweep over the nodes that exist now, with respect to `wanted`.
    /// With `sinks`, cotangents of parameters are written to the gradient block instead of being kept as values.
    constexpr reverse_sweep(builder& graph, list<int> const& wanted, bool sinks) : graph_(graph) {
        state_.sinks = sinks;
        state_.forward_end = static_cast<int>(graph.nodes.size());
        state_.cotangent.assign(graph.nodes.size(), -1);
        state_.active.assign(graph.nodes.size(), 0);
        state_.reached.assign(graph.nodes.size(), 0);
        for (int id : wanted) state_.active[static_cast<std::size_t>(id)] = 1;
        mark_active();
    }

    /// Adds `cotangent` to the cotangent of `node`.
    constexpr void seed(int id, value cotangent) {
        sweep* const outer = graph_.cotangents;
        graph_.cotangents = &state_;
        accumulate(graph_, id, cotangent);
        graph_.cotangents = outer;
    }

    /// Emits the vector-Jacobian products of the nodes [begin, end) of the current region, last first.
    constexpr void run(int begin, int end) {
        sweep* const outer = graph_.cotangents;
        graph_.cotangents = &state_;
        range(graph_.current_region, begin, end);
        graph_.cotangents = outer;
    }

    /// The cotangent of a node, or -1 if none has reached it.
    constexpr int cotangent_of(int id) const { return state_.cotangent[static_cast<std::size_t>(id)]; }
    constexpr bool active(int id) const { return state_.active[static_cast<std::size_t>(id)] != 0; }

private:
    builder& graph_;
    sweep state_;

    constexpr int& cotangent(int id) { return state_.cotangent[static_cast<std::size_t>(id)]; }

    // What depends on something wanted. A carried value is active if the body's result is: a fixed point, reached after
    // one pass more than loops are nested.
    constexpr void mark_active() {
        for (bool changed = true; changed;) {
            changed = false;
            for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
                node const& n = graph_.nodes[i];
                if (state_.active[i] || n.zero_gradient || n.input_count == 0) continue;
                if (n.type != dtype::real || n.op == kind::sink) continue;
                for (int k = 0; k < n.input_count && !state_.active[i]; ++k)
                    if (active(n.input[k])) state_.active[i] = 1;
                if (n.op == kind::carry_in && !state_.active[i]) {
                    for (carry const& c : graph_.carries)
                        if (c.in == static_cast<int>(i) && c.out >= 0 && active(c.out)) state_.active[i] = 1;
                }
                changed = changed || state_.active[i];
            }
        }
    }

    constexpr void range(int region, int begin, int end) {
        for (int i = end - 1; i >= begin; --i) {
            const node n = graph_.at(i);
            if (n.op == kind::parameter || n.op == kind::input || n.op == kind::constant) continue;
            if (n.region == region) {
                step(i, n);
                continue;
            }
            if (!graph_.within(n.region, region)) continue;
            int child = n.region;
            while (graph_.region_at(child).parent != region) child = graph_.region_at(child).parent;
            const int first = graph_.region_at(child).begin;
            if (graph_.region_at(child).loop) loop(child);
            else checkpoint(child);
            i = first;
        }
    }

    constexpr void step(int i, node const& n) {
        if (!active(i) || n.op == kind::carry_in || n.op == kind::carry_result) return;
        const int dy = cotangent(i);
        // Further results come after the node itself: their cotangents are complete when it is reached.
        if (n.op == kind::output) {
            if (dy >= 0) state_.reached[static_cast<std::size_t>(n.input[0])] = 1;
            return;
        }
        if (dy < 0 && !state_.reached[static_cast<std::size_t>(i)]) return;
        if (n.vjp == nullptr) {
            graph_.fail(n.name.empty() ? failure::no_gradient : failure::no_second_gradient, name_of_operation(n));
            return;
        }
        n.vjp(graph_, i, dy);
        grow();
    }

    static constexpr std::string_view name_of_operation(node const& n) {
        if (n.function != nullptr) return n.function->name;
        if (n.primitive != nullptr) return n.primitive->name;
        return n.op == kind::cached_attention ? std::string_view("cached_attention") : n.name;
    }

    // Nodes emitted meanwhile belong to the gradient: they have no cotangent of their own.
    constexpr void grow() {
        state_.cotangent.resize(graph_.nodes.size(), -1);
        state_.active.resize(graph_.nodes.size(), 0);
        state_.reached.resize(graph_.nodes.size(), 0);
    }

    constexpr void loop(int r) {
        const region forward = graph_.region_at(r);
        list<carry> carried;
        for (carry const& c : graph_.carries)
            if (c.region == r) carried.push_back(c);
        bool reached = false;
        for (carry const& c : carried) reached = reached || cotangent(c.result) >= 0;
        for (int i = forward.begin; i < forward.end; ++i) reached = reached || cotangent(i) >= 0;
        if (!reached) return;

        // Values that every iteration reads and that lie outside of the loop's index gather one cotangent over all.
        list<int> outside;
        for (int i = forward.begin; i < forward.end; ++i) {
            node const& n = graph_.at(i);
            if (!graph_.within(n.region, r)) continue;
            for (int k = 0; k < n.input_count; ++k) {
                const int u = n.input[k];
                if (!active(u) || graph_.indexed_by(graph_.at(u).region, forward.family)) continue;
                if (n.op == kind::carry_in && n.region == r) continue;
                if (state_.sinks && graph_.at(u).op == kind::parameter) continue;
                bool known = false;
                for (int o : outside) known = known || o == u;
                if (!known) outside.push_back(u);
            }
        }

        list<carry> backward;
        for (carry const& c : carried) {
            if (!active(c.in) && !active(c.result)) continue;
            carry b;
            const int dy = cotangent(c.result);
            b.init = own_copy(dy >= 0 ? value(graph_, dy) : zeros(graph_, graph_.at(c.in).axes)).id();
            backward.push_back(b);
        }
        const std::size_t own = backward.size();
        list<int> kept;
        for (int u : outside) {
            carry b;
            b.init = own_copy(zeros(graph_, graph_.at(u).axes)).id();
            backward.push_back(b);
            kept.push_back(cotangent(u));
            cotangent(u) = -1;
        }

        const int back = graph_.open_loop(forward.trips, forward.family, !forward.reversed);
        for (carry& b : backward) {
            b.region = back;
            node n;
            n.op = kind::carry_in;
            n.shared = false;
            n.axes = graph_.at(b.init).axes;
            n.add_input(b.init);
            b.in = graph_.emit(n);
        }
        grow();
        {
            std::size_t k = 0;
            for (carry const& c : carried) {
                if (!active(c.in) && !active(c.result)) continue;
                accumulate(graph_, c.out, value(graph_, backward[k++].in));
            }
        }
        range(r, forward.begin, forward.end);
        {
            std::size_t k = 0;
            for (carry const& c : carried) {
                if (!active(c.in) && !active(c.result)) continue;
                const int dx = cotangent(c.in);
                const value out = dx >= 0 ? value(graph_, dx) : zeros(graph_, graph_.at(c.in).axes);
                backward[k++].out = own_copy(out).id();
            }
            for (std::size_t o = 0; o < outside.size(); ++o) {
                const value sum(graph_, backward[own + o].in);
                const int dx = cotangent(outside[o]);
                backward[own + o].out = own_copy(dx >= 0 ? sum + value(graph_, dx) : sum).id();
            }
        }
        graph_.close_region();
        for (carry& b : backward) {
            node n;
            n.op = kind::carry_result;
            n.shared = false;
            n.axes = graph_.at(b.init).axes;
            n.add_input(b.out);
            n.add_input(b.in);
            b.result = graph_.emit(n);
            graph_.carries.push_back(b);
        }
        grow();
        for (std::size_t o = 0; o < outside.size(); ++o) {
            cotangent(outside[o]) = kept[o];
            accumulate(graph_, outside[o], value(graph_, backward[own + o].result));
        }
        std::size_t k = 0;
        for (carry const& c : carried) {
            if (!active(c.in) && !active(c.result)) continue;
            accumulate(graph_, c.init, value(graph_, backward[k++].result));
        }
        grow();
    }

    // Clones the nodes of a checkpoint into the current region and differentiates the clones.
    constexpr void checkpoint(int r) {
        const region forward = graph_.region_at(r);
        bool reached = false;
        for (int i = forward.begin; i < forward.end; ++i) reached = reached || cotangent(i) >= 0;
        if (!reached) return;
        list<int> clone_of(static_cast<std::size_t>(forward.end - forward.begin), -1);
        list<int> region_of(graph_.regions.size(), -1);
        region_of[static_cast<std::size_t>(r)] = graph_.current_region;
        const auto mapped = [&](int id) {
            return id >= forward.begin && id < forward.end &&
                           clone_of[static_cast<std::size_t>(id - forward.begin)] >= 0
                       ? clone_of[static_cast<std::size_t>(id - forward.begin)]
                       : id;
        };
        const int begin = static_cast<int>(graph_.nodes.size());
        const int home = graph_.current_region;
        list<carry> cloned_carries;
        for (int i = forward.begin; i < forward.end; ++i) {
            node n = graph_.at(i);
            if (n.op == kind::parameter || n.op == kind::input) {
                // A leaf of a stack inside the checkpoint belongs to that stack's loop.
                if (graph_.within(n.region, r) && n.region != r)
                    leave_and_enter(home, target_region(n.region, r, region_of, home));
                else continue;
                n.region = graph_.current_region;
            } else if (!graph_.within(n.region, r)) {
                continue;
            } else {
                leave_and_enter(home, target_region(n.region, r, region_of, home));
            }
            for (int k = 0; k < n.input_count; ++k) n.input[k] = mapped(n.input[k]);
            n.shared = false;
            clone_of[static_cast<std::size_t>(i - forward.begin)] = graph_.emit(n);
        }
        leave_and_enter(home, home);
        const std::size_t count = graph_.carries.size();
        for (std::size_t i = 0; i < count; ++i) {
            carry c = graph_.carries[i];
            if (c.in < forward.begin || c.in >= forward.end) continue;
            c.region = region_of[static_cast<std::size_t>(c.region)];
            c.init = mapped(c.init);
            c.in = mapped(c.in);
            c.out = mapped(c.out);
            c.result = mapped(c.result);
            graph_.carries.push_back(c);
        }
        const int end = static_cast<int>(graph_.nodes.size());
        grow();
        for (int i = forward.begin; i < forward.end; ++i) {
            const int c = clone_of[static_cast<std::size_t>(i - forward.begin)];
            if (c < 0) continue;
            state_.active[static_cast<std::size_t>(c)] = state_.active[static_cast<std::size_t>(i)];
            cotangent(c) = cotangent(i);
        }
        range(home, begin, end);
    }

    // The clone of region `inner` (a descendant of `r`): opened on first use.
    constexpr int target_region(int inner, int r, list<int>& region_of, int home) {
        if (inner == r) return home;
        int& target = region_of[static_cast<std::size_t>(inner)];
        if (target >= 0) return target;
        const int parent = target_region(graph_.region_at(inner).parent, r, region_of, home);
        leave_and_enter(home, parent);
        const region original = graph_.region_at(inner);
        target = original.loop ? graph_.open_loop(original.trips, original.family, original.reversed)
                               : graph_.open_checkpoint();
        return target;
    }

    // Moves the current region to `target`, closing what is left behind.
    constexpr void leave_and_enter(int home, int target) {
        while (graph_.current_region != home && !graph_.within(target, graph_.current_region)) graph_.close_region();
        if (graph_.current_region != target && target != home) graph_.current_region = target;
        if (target == home)
            while (graph_.current_region != home) graph_.close_region();
    }
};

}  // namespace tenet::graph
