// SPDX-License-Identifier: MIT
// op: the nodes of attention and its gradient: of axes that are checked, with operands as the kernel can walk them.
#pragma once

#include <tenet/kernel/attention.hpp>
#include <tenet/op/results.hpp>

namespace tenet::detail {

// The axes besides time and head dimension, as the kernel wants them: a run called batch and a run called heads, each
// with one stride in every operand. The query's heads are followed by those that keys and values lack, the group.
struct attention_axes {
    graph::axis_list batch, heads, group;

    constexpr graph::axis_list query_heads() const {
        graph::axis_list all = heads;
        for (int i = 0; i < group.rank; ++i) all.push(group[i]);
        return all;
    }
};

constexpr bool walkable(graph::builder& g, graph::value x, graph::axis_list const& run) {
    const graph::geometry geometry = graph::geometry_of(x.get());
    for (int i = 0; i + 1 < run.rank; ++i)
        if (!graph::mergeable(g, x.axes(), geometry, x.axes().find(run[i]), x.axes().find(run[i + 1]))) return false;
    return true;
}

constexpr graph::value attention_operand_value(graph::builder& g, graph::value x, graph::axis_list const& batch,
                                               graph::axis_list const& heads, int time, int head_dim) {
    x = graph::in_memory(x);
    const graph::geometry geometry = graph::geometry_of(x.get());
    const int d = x.axes().find(head_dim);
    const bool contiguous = geometry.position[d] + 1 == geometry.physical.rank;
    if (contiguous && walkable(g, x, batch) && walkable(g, x, heads)) return x;
    graph::axis_list order = batch;
    order.push(time);
    for (int i = 0; i < heads.rank; ++i) order.push(heads[i]);
    order.push(head_dim);
    return graph::arrange(x, order);
}

// Whether `x` is part number `which` of a tensor that holds three such parts along one axis and nothing else.
constexpr bool is_third(graph::builder& g, graph::value x, graph::value first, int which) {
    graph::node const &n = x.get(), &f = first.get();
    if (n.op != graph::kind::view || f.op != graph::kind::view || n.input[0] != f.input[0]) return false;
    if (!(n.axes == f.axes) || !(n.physical == f.physical) || n.physical.rank != n.axes.rank + 1) return false;
    for (int p = 0, own = 0; p < n.physical.rank; ++p) {
        if (n.axes.contains(n.physical[p])) {
            if (n.partial[p] || n.axes[own++] != n.physical[p]) return false;
        } else if (!n.partial[p] || n.start[p] != which || g.capacity(n.physical[p]) != 3) {
            return false;
        }
    }
    return true;
}

constexpr void attention_vjp(graph::builder& g, int id, int cotangent) {
    const graph::node n = g.at(id);
    const graph::value out(g, id);
    const graph::value dout = graph::dense(graph::arrange(graph::in_memory(graph::value(g, cotangent)), n.axes));
    const graph::value q(g, n.input[0]), k(g, n.input[1]), v(g, n.input[2]);
    graph::node b = n;
    b.op = graph::kind::attention_backward;
    b.vjp = nullptr;
    b.name = "attention";
    b.input_count = 3;
    b.add_input(out.id());
    b.add_input(dout.id());
    b.add_input(existing_output(g, id, 1).id());
    if (n.input_count > 3) b.add_input(n.input[3]);

    // Three views of one packed operand: the gradient is written as one packed tensor.
    if (is_third(g, q, q, 0) && is_third(g, k, q, 1) && is_third(g, v, q, 2)) {
        b.axes = q.get().physical;
        b.integer[2] = 1;
        graph::accumulate(g, q.get().input[0], graph::value(g, g.emit(b)));
        return;
    }
    b.axes = q.axes();
    const graph::value dq(g, g.emit(b));
    const graph::value dk = output_of(dq, 1, k.axes(), true), dv = output_of(dq, 2, v.axes(), true);
    graph::accumulate(g, n.input[0], dq);
    graph::accumulate(g, n.input[1], dk);
    graph::accumulate(g, n.input[2], dv);
}

constexpr graph::value emit_attention(graph::value q, graph::value k, graph::value v, graph::value lengths,
                                      attention_axes const& a, int query, int key, int head_dim, bool causal,
                                      double scale) {
    graph::builder& g = q.graph();
    const graph::axis_list order = q.axes();
    const graph::axis_list query_heads = a.query_heads();
    q = attention_operand_value(g, q, a.batch, query_heads, query, head_dim);
    k = attention_operand_value(g, k, a.batch, a.heads, key, head_dim);
    v = attention_operand_value(g, v, a.batch, a.heads, key, head_dim);
    graph::node n;
    n.op = graph::kind::attention;
    n.vjp = &attention_vjp;
    n.axes = q.axes();
    n.over.push(query);
    n.over.push(key);
    n.over.push(head_dim);
    n.physical = a.batch;
    n.integer[0] = causal;
    n.number[0] = scale;
    n.add_input(q.id());
    n.add_input(k.id());
    n.add_input(v.id());
    if (lengths.exists()) n.add_input(lengths.id());
    // The result lies like q where q's runs can be walked in a dense tensor, else in the kernel's own order.
    graph::node plain;
    plain.axes = n.axes;
    const auto dense_run = [&](graph::axis_list const& run) {
        for (int i = 0; i + 1 < run.rank; ++i)
            if (n.axes.find(run[i]) + 1 != n.axes.find(run[i + 1])) return false;
        return true;
    };
    if (!dense_run(a.batch) || !dense_run(query_heads) || n.axes[n.axes.rank - 1] != head_dim) {
        n.axes = a.batch;
        n.axes.push(query);
        for (int i = 0; i < query_heads.rank; ++i) n.axes.push(query_heads[i]);
        n.axes.push(head_dim);
    }
    const graph::value out(g, g.emit(n));
    static_cast<void>(output_of(out, 1, graph::axis_list{}, true,
                                kernel::attention_saved_size(g.capacity(a.batch), g.capacity(query), g.capacity(key),
                                                             g.capacity(query_heads))));
    return graph::arrange(out, order);
}

// Under `cached`: the keys and values of this place in the model, in each layer, go on where those of earlier steps
// end.
constexpr graph::value emit_cached_attention(graph::value q, graph::value k, graph::value v, attention_axes const& a,
                                             int time, int head_dim, double scale) {
    graph::builder& g = q.graph();
    graph::scope const& s = g.scopes.back();
    const graph::axis_list order = q.axes(), query_heads = a.query_heads();
    graph::node n;
    n.op = graph::kind::cached_attention;
    n.shared = false;
    n.axes = a.batch;
    n.axes.push(time);
    for (int i = 0; i < query_heads.rank; ++i) n.axes.push(query_heads[i]);
    n.axes.push(head_dim);
    n.over.push(time);
    n.over.push(g.axis_id(s.cache_axis));
    n.over.push(head_dim);
    n.physical = a.batch;
    n.number[0] = scale;
    n.add_input(attention_operand_value(g, q, a.batch, query_heads, time, head_dim).id());
    n.add_input(attention_operand_value(g, k, a.batch, a.heads, time, head_dim).id());
    n.add_input(attention_operand_value(g, v, a.batch, a.heads, time, head_dim).id());
    for (int i = 0; i < 2; ++i) {
        graph::node past;  // head by head, so that a step reads each head's rows as one run of memory
        past.op = graph::kind::state;
        past.shared = false;
        past.packed = false;
        past.axes = a.batch;
        for (int h = 0; h < a.heads.rank; ++h) past.axes.push(a.heads[h]);
        past.axes.push(n.over[1]);
        past.axes.push(head_dim);
        n.add_input(g.emit(past));
    }
    n.add_input(graph::dense(graph::value(g, s.cache_start)).id());
    if (s.cache_count >= 0) n.add_input(graph::arrange(graph::value(g, s.cache_count), a.batch).id());
    return graph::arrange(graph::value(g, g.emit(n)), order);
}

}  // namespace tenet::detail
