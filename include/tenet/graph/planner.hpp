// SPDX-License-Identifier: MIT
// graph: plans a pruned graph: its schedule, and where parameters, gradients, states and values in the arena lie.
#pragma once

#include <cstddef>

#include <tenet/base/list.hpp>
#include <tenet/graph/arena_layout.hpp>
#include <tenet/graph/builder.hpp>
#include <tenet/graph/fuse.hpp>
#include <tenet/graph/plan.hpp>
#include <tenet/graph/prune.hpp>
#include <tenet/graph/schedule.hpp>

namespace tenet::graph {

/// Lays out a pruned graph whose elements of type `real` take `real_bytes`, or two bytes in the nodes of `rounded`.
class planner {
public:
    constexpr planner(builder& graph, fusion const& groups, std::size_t real_bytes, list<char> const& rounded)
        : graph_(graph), groups_(groups), real_bytes_(real_bytes), count_(graph.nodes.size()) {
        plan_.rounded = rounded;
    }

    constexpr plan run() {
        plan_.locations.resize(count_);
        plan_.skipped.assign(count_, 0);
        plan_.direct_sink.assign(count_, -1);
        const schedule order = scheduler(graph_, groups_).run();
        plan_.steps = order.steps;
        lay_out_parameters();
        lay_out_states();
        lay_out_gradients();
        arena_layout(graph_, groups_, order, real_bytes_, plan_).run();
        return plan_;
    }

private:
    builder& graph_;
    fusion const& groups_;
    std::size_t real_bytes_;
    std::size_t count_;
    plan plan_;

    static constexpr std::size_t at(int i) { return static_cast<std::size_t>(i); }

    constexpr location parameter_location(parameter_slot const& p, int r, space in, std::size_t offset) const {
        location l;
        l.in = in;
        l.set = p.set;
        l.offset = offset * real_bytes_;
        std::size_t stride = p.padded * real_bytes_;
        int loop = loop_around(graph_, r);
        // Innermost level first: a layer is `padded` elements after the one before.
        for (int k = p.levels - 1; k >= 0; --k) {
            address_level& level = l.levels[l.level_count++];
            level.family = graph_.region_at(loop).family;
            level.trips = p.trips[k];
            level.stride = stride;
            stride *= at(p.trips[k]);
            loop = parent_loop(graph_, loop);
        }
        return l;
    }

    // One slot an iteration of every loop around it, in a block that outlives the step.
    constexpr void lay_out_states() {
        for (std::size_t i = 0; i < count_; ++i) {
            node const& n = graph_.nodes[i];
            if (n.op != kind::state) continue;
            location& l = plan_.locations[i];
            l.in = space::state;
            l.offset = plan_.state_bytes;
            std::size_t bytes = bytes_of(graph_, plan_.rounded, real_bytes_, static_cast<int>(i));
            for (int r = loop_around(graph_, n.region); r >= 0; r = parent_loop(graph_, r)) {
                l.levels[l.level_count++] = level_of(graph_.region_at(r), bytes);
                bytes *= at(graph_.region_at(r).trips);
            }
            plan_.state_bytes += bytes;
        }
    }

    constexpr std::size_t all_elements(parameter_slot const& p) const {
        std::size_t n = p.padded;
        for (int k = 0; k < p.levels; ++k) n *= at(p.trips[k]);
        return n;
    }

    constexpr void lay_out_parameters() {
        for (std::size_t i = 0; i < count_; ++i) {
            node const& n = graph_.nodes[i];
            if (n.op == kind::parameter) {
                parameter_slot const& p = graph_.parameters[at(n.integer[0])];
                plan_.locations[i] = parameter_location(p, n.region, space::parameters, p.offset);
            } else if (n.op == kind::input) {
                plan_.locations[i].in = space::input;
                plan_.locations[i].set = n.integer[0];
            }
        }
    }

    constexpr void lay_out_gradients() {
        list<char> reached(graph_.parameters.size(), 0);
        for (node const& n : graph_.nodes)
            if (n.op == kind::sink) reached[at(graph_.at(n.input[1]).integer[0])] = 1;
        list<std::size_t> offset(graph_.parameters.size(), 0);
        for (std::size_t p = 0; p < graph_.parameters.size(); ++p) {
            if (!reached[p]) continue;
            offset[p] = plan_.gradient_elements;
            plan_.trainable.push_back({static_cast<int>(p), offset[p], all_elements(graph_.parameters[p])});
            plan_.gradient_elements += all_elements(graph_.parameters[p]);
        }
        list<int> uses(count_, 0);
        for (node const& n : graph_.nodes)
            for (int k = 0; n.op != kind::output && k < n.input_count; ++k) ++uses[at(n.input[k])];
        for (int id : graph_.outputs) uses[at(id)] += 2;
        for (carry const& c : graph_.carries)
            for (int id : {c.init, c.out}) uses[at(id)] += 2;
        list<char> seen(graph_.parameters.size(), 0);
        for (std::size_t i = 0; i < count_; ++i) {
            node& n = graph_.nodes[i];
            if (n.op != kind::sink) continue;
            node const& leaf = graph_.at(n.input[1]);
            const std::size_t p = at(leaf.integer[0]);
            parameter_slot const& slot = graph_.parameters[p];
            // In a loop over something else than the parameter's layers, the same gradient is met again and again.
            int loops = 0;
            for (int r = loop_around(graph_, n.region); r >= 0; r = parent_loop(graph_, r)) ++loops;
            n.mode =
                seen[p] ? sink_mode::add : (loops > slot.levels ? sink_mode::store_first_iteration : sink_mode::store);
            seen[p] = 1;
            plan_.locations[i] = parameter_location(slot, leaf.region, space::gradients, offset[p]);

            // The operand is computed in place if it lies like the parameter and nothing else reads it.
            const int root = storage_of(graph_, n.input[0]);
            bool direct = uses[at(n.input[0])] == 1 && graph_.is_static(leaf.axes);
            for (int x = n.input[0]; x != root; x = graph_.at(x).input[0])
                direct = direct && graph_.at(x).op == kind::alias && uses[at(graph_.at(x).input[0])] == 1;
            node const& source = graph_.at(root);
            direct = direct && (detail::owns_memory(source.op) || source.op == kind::output) &&
                     source.region == n.region && source.type == dtype::real;
            if (n.mode != sink_mode::store)
                direct = direct && (source.op == kind::dot || source.op == kind::reduce_sum ||
                                    source.op == kind::scatter_add_rows);
            if (!direct) continue;
            plan_.skipped[i] = 1;
            plan_.direct_sink[at(root)] = static_cast<int>(i);
            plan_.locations[at(root)] = plan_.locations[i];
        }
    }
};

}  // namespace tenet::graph
