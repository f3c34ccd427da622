// SPDX-License-Identifier: MIT
// graph: removes what no output needs, and copies that only keep a carried value apart when nothing else uses it.
#pragma once

#include <tenet/base/list.hpp>

#include <tenet/graph/elementwise.hpp>

namespace tenet::graph {

namespace detail {

// Whether a node computes into memory that is its own, so that the planner may choose where it lies.
constexpr bool owns_memory(kind op) {
    switch (op) {
    case kind::parameter:
    case kind::state:
    case kind::input:
    case kind::constant:
    case kind::inverse_count:
    case kind::iota:
    case kind::random:
    case kind::alias:
    case kind::view:
    case kind::carry_in:
    case kind::carry_result:
    case kind::output:
    case kind::sink: return false;
    default: return true;
    }
}

constexpr bool is_copy(node const& n) {
    return n.op == kind::elementwise && n.function == &info_of<identity_op>;
}

// The ends of a carry may be computed in place when the value that was copied there has no other use.
constexpr void drop_copies(builder& graph) {
    list<int> uses(graph.nodes.size(), 0);
    for (node const& n : graph.nodes)
        for (int k = 0; n.op != kind::output && k < n.input_count; ++k) ++uses[static_cast<std::size_t>(n.input[k])];
    for (int id : graph.outputs) uses[static_cast<std::size_t>(id)] += 2;
    const auto shortened = [&](int id) {
        node const& copy = graph.at(id);
        if (!is_copy(copy)) return id;
        const int x = copy.input[0];
        node const& source = graph.at(x);
        if (!owns_memory(source.op) || source.region != copy.region || !(source.axes == copy.axes) ||
            uses[static_cast<std::size_t>(x)] != 1 || !source.tap.empty() || source.type != copy.type)
            return id;
        return x;
    };
    for (carry& c : graph.carries) {
        const int init = shortened(c.init), out = shortened(c.out);
        if (init != c.init) graph.at(c.in).input[0] = c.init = init;
        if (out != c.out) {
            c.out = out;
            graph.at(c.result).input[0] = out;
        }
    }
}

}  // namespace detail

/// Removes dead nodes, carries and copies; node numbers change.
constexpr void prune(builder& graph) {
    detail::drop_copies(graph);
    const std::size_t count = graph.nodes.size();
    list<char> live(count, 0);
    list<int> todo = graph.outputs;
    for (std::size_t i = 0; i < count; ++i)
        if (graph.nodes[i].op == kind::sink) todo.push_back(static_cast<int>(i));
    list<int> carry_of(count, -1);
    for (std::size_t c = 0; c < graph.carries.size(); ++c) {
        carry_of[static_cast<std::size_t>(graph.carries[c].in)] = static_cast<int>(c);
        carry_of[static_cast<std::size_t>(graph.carries[c].result)] = static_cast<int>(c);
    }
    while (!todo.empty()) {
        const int id = todo.back();
        todo.pop_back();
        if (live[static_cast<std::size_t>(id)]) continue;
        live[static_cast<std::size_t>(id)] = 1;
        node const& n = graph.at(id);
        for (int k = 0; k < n.input_count; ++k) todo.push_back(n.input[k]);
        if (carry_of[static_cast<std::size_t>(id)] >= 0) {
            carry const& c = graph.carries[static_cast<std::size_t>(carry_of[static_cast<std::size_t>(id)])];
            for (int end : {c.init, c.in, c.out, c.result}) todo.push_back(end);
        }
    }
    // Results that a kernel writes whether or not anyone reads them.
    for (std::size_t i = 0; i < count; ++i) {
        node const& n = graph.nodes[i];
        if (n.op == kind::output && n.integer[1] != 0 && live[static_cast<std::size_t>(n.input[0])]) live[i] = 1;
    }

    list<int> renumbered(count, -1);
    list<node> kept;
    for (std::size_t i = 0; i < count; ++i) {
        if (!live[i]) continue;
        renumbered[i] = static_cast<int>(kept.size());
        kept.push_back(graph.nodes[i]);
    }
    for (node& n : kept)
        for (int k = 0; k < n.input_count; ++k) n.input[k] = renumbered[static_cast<std::size_t>(n.input[k])];
    list<carry> carries;
    for (carry c : graph.carries) {
        if (!live[static_cast<std::size_t>(c.in)]) continue;
        c.init = renumbered[static_cast<std::size_t>(c.init)];
        c.in = renumbered[static_cast<std::size_t>(c.in)];
        c.out = renumbered[static_cast<std::size_t>(c.out)];
        c.result = renumbered[static_cast<std::size_t>(c.result)];
        carries.push_back(c);
    }
    for (int& id : graph.outputs) id = renumbered[static_cast<std::size_t>(id)];
    graph.nodes = kept;
    graph.carries = carries;
}

}  // namespace tenet::graph
