// SPDX-License-Identifier: MIT
// graph: element-wise nodes over the same axes become one loop over registers. A group runs where its last member
// stands; it may grow as long as nobody outside needs one of its values earlier.
#pragma once

#include <tenet/base/list.hpp>

#include <tenet/graph/builder.hpp>

namespace tenet::graph {

/// The most element-wise nodes that are computed in one loop.
inline constexpr int max_group = 32;

/// The groups of a graph: which group each node is in, and the members of each, in order.
struct fusion {
    list<int> group;          ///< by node; -1: not an element-wise node
    list<list<int>> members;  ///< by group; empty if it was merged into another
    list<int> reader_begin;   ///< by node: where its readers begin in `readers`, and one more
    list<int> readers;
};

/// Whether a node is computed inside the loop of whoever reads it, and has no memory.
constexpr bool is_virtual(kind op) {
    return op == kind::constant || op == kind::inverse_count || op == kind::iota || op == kind::random;
}

constexpr fusion fuse(builder const& graph) {
    const std::size_t count = graph.nodes.size();
    fusion result;
    result.group.assign(count, -1);
    list<int>& first = result.reader_begin;
    first.assign(count + 1, 0);
    for (node const& n : graph.nodes)
        for (int k = 0; k < n.input_count; ++k) ++first[static_cast<std::size_t>(n.input[k]) + 1];
    for (std::size_t i = 0; i < count; ++i) first[i + 1] += first[i];
    list<int>& user = result.readers;
    user.assign(static_cast<std::size_t>(first[count]), 0);
    list<int> fill = first;
    for (std::size_t i = 0; i < count; ++i)
        for (int k = 0; k < graph.nodes[i].input_count; ++k)
            user[static_cast<std::size_t>(fill[static_cast<std::size_t>(graph.nodes[i].input[k])]++)] =
                static_cast<int>(i);

    // Whether group `g` may run as late as node `n`: no reader outside of it comes before.
    const auto can_wait = [&](int g, int other, int n) {
        for (int m : result.members[static_cast<std::size_t>(g)])
            for (int u = first[static_cast<std::size_t>(m)]; u < first[static_cast<std::size_t>(m) + 1]; ++u) {
                const int reader = user[static_cast<std::size_t>(u)];
                const int in = result.group[static_cast<std::size_t>(reader)];
                if (reader < n && in != g && (in != other || other < 0)) return false;
            }
        return true;
    };

    for (std::size_t i = 0; i < count; ++i) {
        node const& n = graph.nodes[i];
        if (n.op != kind::elementwise) continue;
        int home = -1;
        for (int k = 0; k < n.input_count; ++k) {
            const int x = n.input[k];
            const int g = result.group[static_cast<std::size_t>(x)];
            if (g < 0 || g == home) continue;
            node const& producer = graph.at(x);
            if (producer.region != n.region || !(producer.axes == n.axes)) continue;
            if (!can_wait(g, home, static_cast<int>(i))) continue;
            if (home < 0) {
                if (static_cast<int>(result.members[static_cast<std::size_t>(g)].size()) < max_group) home = g;
                continue;
            }
            auto& into = result.members[static_cast<std::size_t>(home)];
            auto& from = result.members[static_cast<std::size_t>(g)];
            if (static_cast<int>(into.size() + from.size()) >= max_group || !can_wait(home, g, static_cast<int>(i)))
                continue;
            list<int> merged;
            std::size_t a = 0, b = 0;
            while (a < into.size() || b < from.size())
                merged.push_back(b == from.size() || (a < into.size() && into[a] < from[b]) ? into[a++] : from[b++]);
            for (int m : from) result.group[static_cast<std::size_t>(m)] = home;
            into = merged;
            from.clear();
        }
        if (home < 0) {
            home = static_cast<int>(result.members.size());
            result.members.push_back({});
        }
        result.members[static_cast<std::size_t>(home)].push_back(static_cast<int>(i));
        result.group[i] = home;
    }
    return result;
}

}  // namespace tenet::graph
