// SPDX-License-Identifier: MIT
// graph: the buffers of the arena. Live intervals over the straight-line program; what a backward loop reads again has
// a slot an iteration, temporaries are shared by all iterations, and a carried value moves through a ring of slots.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <tenet/base/list.hpp>
#include <tenet/graph/builder.hpp>
#include <tenet/graph/fuse.hpp>
#include <tenet/graph/plan.hpp>
#include <tenet/graph/prune.hpp>
#include <tenet/graph/schedule.hpp>

namespace tenet::graph {

/// Bytes of a node's value, in whole cache lines: those of `rounded` have two an element of type `real`.
constexpr std::size_t bytes_of(builder const& graph, list<char> const& rounded, std::size_t real_bytes, int id) {
    node const& n = graph.at(id);
    const std::size_t elements = n.elements > 0 ? n.elements : graph.capacity(n.axes);
    if (rounded[static_cast<std::size_t>(id)]) real_bytes = sizeof(std::uint16_t);
    const std::size_t each = n.type == dtype::real ? real_bytes : size_of(n.type);
    return (elements * each + 63) / 64 * 64;
}

/// One slot an iteration of the loop, in steps of `stride` bytes.
constexpr address_level level_of(region const& loop, std::size_t stride) {
    address_level level;
    level.family = loop.family;
    level.trips = loop.trips;
    level.stride = stride;
    return level;
}

/// Gives each value that no parameter, gradient or state holds its buffer and its location within it.
class arena_layout {
public:
    constexpr arena_layout(builder const& graph, fusion const& groups, schedule const& order, std::size_t real_bytes,
                           plan& p)
        : graph_(graph),
          groups_(groups),
          order_(order),
          real_bytes_(real_bytes),
          plan_(p),
          count_(graph.nodes.size()) {}

    constexpr void run() {
        plan_.buffer_of.assign(count_, -1);
        find_uses();
        list<char> carried(count_, 0);
        for (carry const& c : graph_.carries)
            for (int id : {c.init, c.in, c.out, c.result}) carried[at(id)] = 1;
        for (std::size_t i = 0; i < count_; ++i) {
            node const& n = graph_.nodes[i];
            if (!(detail::owns_memory(n.op) || n.op == kind::output)) continue;
            if (carried[i] || plan_.locations[i].in == space::gradients) continue;
            if (groups_.group[i] >= 0 && uses_begin_[i] == uses_begin_[i + 1]) continue;  // lives in registers
            lay_out(static_cast<int>(i));
        }
        for (carry const& c : graph_.carries) lay_out(c);
        if (graph_.external_outputs) move_outputs();
    }

private:
    struct use {
        int root, region, step;
    };
    /// First and last step.
    struct life {
        int begin, end;
    };

    builder const& graph_;
    fusion const& groups_;
    schedule const& order_;
    std::size_t real_bytes_;
    plan& plan_;
    std::size_t count_;
    list<use> uses_;        // readers, by the storage that they read
    list<int> uses_begin_;  // by node: where its readers begin, and one more

    static constexpr std::size_t at(int i) { return static_cast<std::size_t>(i); }

    constexpr std::size_t bytes_of(int id) const { return graph::bytes_of(graph_, plan_.rounded, real_bytes_, id); }
    constexpr bool saved_over(int use_region, int loop) const { return !graph_.within(use_region, loop); }

    template <class F>
    constexpr void uses_of(int id, F const& f) const {
        for (int u = uses_begin_[at(id)]; u < uses_begin_[at(id) + 1]; ++u) f(uses_[at(u)]);
    }

    constexpr void find_uses() {
        const int last = static_cast<int>(plan_.steps.size());
        list<use> found;
        const auto add = [&](int id, int region, int s) { found.push_back({storage_of(graph_, id), region, s}); };
        for (std::size_t i = 0; i < count_; ++i) {
            node const& n = graph_.nodes[i];
            if (n.op == kind::carry_in || n.op == kind::carry_result || n.op == kind::output || n.op == kind::alias ||
                n.op == kind::view)
                continue;
            if (!detail::owns_memory(n.op) && n.op != kind::sink) continue;
            for (int k = 0; k < n.input_count; ++k) {
                const int x = n.input[k];
                // Inside a group, values stay in registers.
                if (groups_.group[i] >= 0 && groups_.group[at(x)] == groups_.group[i]) continue;
                add(x, n.region, order_.step_of[i]);
            }
        }
        for (int id : graph_.outputs) add(id, 0, last);
        for (std::size_t i = 0; i < count_; ++i)
            if (!graph_.nodes[i].tap.empty()) add(static_cast<int>(i), 0, last);
        // In the order of their roots: counted, then placed.
        uses_begin_.assign(count_ + 1, 0);
        for (use const& u : found) ++uses_begin_[at(u.root) + 1];
        for (std::size_t i = 0; i < count_; ++i) uses_begin_[i + 1] += uses_begin_[i];
        uses_.assign(found.size(), use{});
        list<int> next = uses_begin_;
        for (use const& u : found) uses_[at(next[at(u.root)]++)] = u;
    }

    /// Extends a life from region `home` over every loop around the reader that does not hold the home.
    constexpr void extend(int home, use const& u, life& l) const {
        l.end = std::max(l.end, u.step);
        for (int r = loop_around(graph_, u.region); r >= 0; r = parent_loop(graph_, r))
            if (!graph_.within(home, r)) l.end = std::max(l.end, order_.loop_end[at(r)]);
        for (int r = loop_around(graph_, home); r >= 0; r = parent_loop(graph_, r))
            if (saved_over(u.region, r)) {
                l.begin = std::min(l.begin, order_.loop_begin[at(r)]);
                l.end = std::max(l.end, order_.loop_end[at(r)]);
            }
    }

    /// One slot an iteration of every loop around `home` that a reader lies outside of; `bytes` become those of all.
    template <class Saved>
    constexpr void add_levels(location& l, int home, std::size_t& bytes, Saved const& is_saved) const {
        for (int r = loop_around(graph_, home); r >= 0; r = parent_loop(graph_, r)) {
            if (!is_saved(r)) continue;
            region const& loop = graph_.region_at(r);
            l.levels[l.level_count++] = level_of(loop, bytes);
            bytes *= at(loop.trips);
        }
    }

    constexpr int add_buffer(int id, std::size_t bytes, life const& l) {
        plan_.buffers.push_back({id, 0, bytes, l.begin, l.end});
        return static_cast<int>(plan_.buffers.size()) - 1;
    }

    constexpr void lay_out(int id) {
        const int home = graph_.at(id).region;
        life lives{order_.step_of[at(id)], order_.step_of[at(id)]};
        uses_of(id, [&](use const& u) { extend(home, u, lives); });
        location& l = plan_.locations[at(id)];
        l.in = space::arena;
        std::size_t bytes = bytes_of(id);
        add_levels(l, home, bytes, [&](int loop) {
            bool saved = false;
            uses_of(id, [&](use const& u) { saved = saved || saved_over(u.region, loop); });
            return saved;
        });
        plan_.buffer_of[at(id)] = add_buffer(id, bytes, lives);
    }

    /// A carried value: its four nodes share one ring of slots.
    constexpr void lay_out(carry const& c) {
        const int home = c.region;
        region const& loop = graph_.region_at(home);
        const int parent = loop.parent;
        life lives{std::min(order_.step_of[at(c.init)], order_.loop_begin[at(home)]), order_.loop_end[at(home)]};
        bool kept = false;
        const auto note = [&](int id, int from) {
            uses_of(id, [&](use const& u) {
                if (from == home && saved_over(u.region, home)) kept = true;
                extend(from, u, lives);
            });
        };
        note(c.in, home);
        note(c.out, home);
        note(c.result, parent);
        note(c.init, parent);
        const auto outer_saved = [&](int outer) {
            bool saved = false;
            for (int id : {c.in, c.out, c.result, c.init})
                uses_of(id, [&](use const& u) { saved = saved || saved_over(u.region, outer); });
            return saved;
        };
        // If the initial value is read after the loop began, a ring of two would overwrite it.
        const int mod = kept ? loop.trips + 1 : 2;
        const std::size_t slot = bytes_of(c.in);
        std::size_t bytes = slot * at(mod);
        location base;
        base.in = space::arena;
        add_levels(base, parent, bytes, outer_saved);
        const auto in_ring = [&](int shift) {
            location l = base;
            address_level level = level_of(loop, slot);
            level.shift = shift;
            level.mod = mod;
            level.reversed = loop.reversed;
            l.levels[l.level_count++] = level;
            return l;
        };
        plan_.locations[at(c.in)] = in_ring(0);
        plan_.locations[at(c.out)] = in_ring(1);
        plan_.locations[at(c.init)] = base;
        plan_.locations[at(c.result)] = base;
        plan_.locations[at(c.result)].offset = slot * at(loop.trips % mod);
        const int buffer = add_buffer(c.in, bytes, lives);
        for (int id : {c.in, c.out, c.init, c.result}) plan_.buffer_of[at(id)] = buffer;
    }

    /// Outputs lie in memory of the caller's.
    constexpr void move_outputs() {
        for (std::size_t k = 0; k < graph_.outputs.size(); ++k) {
            const std::size_t output = at(graph_.outputs[k]);
            location l;
            l.in = space::output;
            l.set = static_cast<int>(k);
            plan_.locations[output] = l;
            plan_.buffers[at(plan_.buffer_of[output])].bytes = 0;
            plan_.buffer_of[output] = -1;
        }
    }
};

}  // namespace tenet::graph
