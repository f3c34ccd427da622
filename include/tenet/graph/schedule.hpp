// SPDX-License-Identifier: MIT
// graph: the order in which a pruned graph is computed: nodes and fused groups one after another, within their loops.
#pragma once

#include <cstddef>

#include <tenet/base/list.hpp>
#include <tenet/graph/builder.hpp>
#include <tenet/graph/fuse.hpp>
#include <tenet/graph/plan.hpp>
#include <tenet/graph/prune.hpp>

namespace tenet::graph {

struct schedule {
    list<step> steps;
    list<int> step_of;               ///< by node: the step that computes it
    list<int> loop_begin, loop_end;  ///< by region: its steps, or -1
};

/// The innermost loop around region `r`, or -1.
constexpr int loop_around(builder const& graph, int r) {
    while (r >= 0 && !graph.region_at(r).loop) r = graph.region_at(r).parent;
    return r;
}
/// The loop around the loop `r`, or -1.
constexpr int parent_loop(builder const& graph, int r) {
    return loop_around(graph, graph.region_at(r).parent);
}

class scheduler {
public:
    constexpr scheduler(builder const& graph, fusion const& groups)
        : graph_(graph), groups_(groups), count_(graph.nodes.size()) {}

    constexpr schedule run() {
        order_.step_of.assign(count_, 0);
        order_.loop_begin.assign(graph_.regions.size(), -1);
        order_.loop_end.assign(graph_.regions.size(), -1);
        list<int> open;
        for (std::size_t i = 0; i < count_; ++i) {
            node const& n = graph_.nodes[i];
            if (!computes(n)) continue;
            const int g = groups_.group[i];
            if (g >= 0 && groups_.members[at(g)].back() != static_cast<int>(i)) continue;
            enter_and_leave(open, loop_around(graph_, n.region));
            const int s = static_cast<int>(order_.steps.size());
            if (g >= 0) {
                for (int m : groups_.members[at(g)]) order_.step_of[at(m)] = s;
                order_.steps.push_back({step_kind::group, static_cast<int>(i), 0});
            } else {
                order_.step_of[i] = s;
                order_.steps.push_back({step_kind::node, static_cast<int>(i), 0});
            }
        }
        enter_and_leave(open, -1);
        for (std::size_t i = 0; i < count_; ++i)
            if (graph_.nodes[i].op == kind::output) order_.step_of[i] = order_.step_of[at(graph_.nodes[i].input[0])];
        return order_;
    }

private:
    builder const& graph_;
    fusion const& groups_;
    std::size_t count_;
    schedule order_;

    static constexpr std::size_t at(int i) { return static_cast<std::size_t>(i); }

    static constexpr bool computes(node const& n) { return detail::owns_memory(n.op) || n.op == kind::sink; }

    constexpr void enter_and_leave(list<int>& open, int target) {
        // Close loops that do not contain the target, then open those that do, outermost first.
        const auto contains = [&](int loop) {
            for (int r = target; r >= 0; r = parent_loop(graph_, r))
                if (r == loop) return true;
            return false;
        };
        while (!open.empty() && !contains(open.back())) {
            order_.loop_end[at(open.back())] = static_cast<int>(order_.steps.size());
            order_.steps[at(order_.loop_begin[at(open.back())])].match = static_cast<int>(order_.steps.size());
            order_.steps.push_back({step_kind::loop_end, open.back(), order_.loop_begin[at(open.back())]});
            open.pop_back();
        }
        list<int> chain;
        for (int r = target; r >= 0; r = parent_loop(graph_, r)) {
            bool is_open = false;
            for (int o : open) is_open = is_open || o == r;
            if (!is_open) chain.push_back(r);
        }
        for (std::size_t i = chain.size(); i-- > 0;) {
            open.push_back(chain[i]);
            order_.loop_begin[at(chain[i])] = static_cast<int>(order_.steps.size());
            order_.steps.push_back({step_kind::loop_begin, chain[i], 0});
        }
    }
};

}  // namespace tenet::graph
