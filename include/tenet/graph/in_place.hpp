// SPDX-License-Identifier: MIT
// graph: results that take the place of an operand which nothing reads any more: of a loop over registers, which reads
// an element of each operand before it writes that of a result, and of the gradient of cross-entropy.
#pragma once

#include <tenet/graph/builder.hpp>
#include <tenet/graph/fuse.hpp>
#include <tenet/graph/geometry.hpp>
#include <tenet/graph/plan.hpp>
#include <tenet/graph/prune.hpp>

namespace tenet::graph {
namespace detail {

/// Whether node `id` has a buffer of the arena to itself, without slots for iterations.
constexpr bool lies_alone(plan const& p, int id) {
    const int b = p.buffer_of[static_cast<std::size_t>(id)];
    location const& l = p.locations[static_cast<std::size_t>(id)];
    return b >= 0 && l.in == space::arena && l.level_count == 0 && p.buffers[static_cast<std::size_t>(b)].node == id;
}

/// Whether elements of two nodes that lie alone stand at equal offsets.
constexpr bool lie_alike(builder const& graph, node const& a, node const& b) {
    return a.type == b.type && a.axes == b.axes && a.packed == b.packed && a.elements == b.elements &&
           is_dense(graph, a) && is_dense(graph, b);
}

constexpr void reuse_operand(builder const& graph, plan& p, int s, int result, list<int> const& operands) {
    if (!lies_alone(p, result)) return;
    buffer& own = p.buffers[static_cast<std::size_t>(p.buffer_of[static_cast<std::size_t>(result)])];
    if (own.begin != s) return;
    for (int x : operands) {
        if (!lies_alone(p, x) || !lie_alike(graph, graph.at(x), graph.at(result))) continue;
        if (p.rounded[static_cast<std::size_t>(x)] != p.rounded[static_cast<std::size_t>(result)]) continue;
        const int b = p.buffer_of[static_cast<std::size_t>(x)];
        buffer& reused = p.buffers[static_cast<std::size_t>(b)];
        if (reused.begin >= s || reused.end != s || reused.bytes != own.bytes) continue;
        bool seen_otherwise = false;  // through a view or an alias
        for (int y : operands) seen_otherwise = seen_otherwise || (y != x && storage_of(graph, y) == x);
        if (seen_otherwise) continue;
        reused.end = own.end;
        reused.node = result;
        own.bytes = 0;
        p.buffer_of[static_cast<std::size_t>(result)] = b;
        return;
    }
}

}  // namespace detail

/// Lets results lie in operands that end with the step. Cost: a walk over the steps.
constexpr void reuse_operands(builder const& graph, fusion const& groups, plan& p) {
    for (int s = 0; s < static_cast<int>(p.steps.size()); ++s) {
        step const& now = p.steps[static_cast<std::size_t>(s)];
        if (now.what == step_kind::node && graph.at(now.id).op == kind::cross_entropy_backward) {
            detail::reuse_operand(graph, p, s, now.id, list<int>{graph.at(now.id).input[0]});
        } else if (now.what == step_kind::group) {
            const int g = groups.group[static_cast<std::size_t>(now.id)];
            list<int> const& members = groups.members[static_cast<std::size_t>(g)];
            if (graph.at(members[0]).op == kind::dot) continue;  // reads its operands whole
            list<int> operands;
            for (int m : members)
                for (int k = 0; k < graph.at(m).input_count; ++k) {
                    const int x = graph.at(m).input[k];
                    bool known = groups.group[static_cast<std::size_t>(x)] == g;
                    for (int o : operands) known = known || o == x;
                    if (!known) operands.push_back(x);
                }
            for (int m : members) detail::reuse_operand(graph, p, s, m, operands);
        }
    }
}

}  // namespace tenet::graph
