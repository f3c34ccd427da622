// SPDX-License-Identifier: MIT
// op: scaled dot-product attention, fused: full, causal, padded, self and cross.
#pragma once

#include <tenet/kernel/attention.hpp>
#include <tenet/op/rearrange.hpp>
#include <tenet/op/results.hpp>
#include <tenet/shape/sequence.hpp>

namespace tenet {
namespace error {
/// attention<Query, Key, HeadDim>(q, k, v): an operand lacks an axis that it needs.
template <class A, std::size_t Extent, class QueryAxes>
struct attention_axis_missing_in_query;
template <class A, std::size_t Extent, class KeyAxes>
struct attention_axis_missing_in_key;
template <class A, std::size_t Extent, class ValueAxes>
struct attention_axis_missing_in_value;
/// attention(q, k, v): the axes besides time and head dimension (batch, heads) differ.
template <class QueryAxes, class OtherAxes>
struct attention_batch_axes_differ;
/// causal_attention<Time, HeadDim, QKV>(x): the axis QKV does not have the extent 3.
template <class A, std::size_t Extent, class OperandAxes>
struct attention_packed_axis_is_not_three;
/// causal_attention<Time, HeadDim>(x): no axis of extent 3 holds queries, keys and values.
template <class OperandAxes>
struct attention_has_no_packed_axis;
/// causal_attention<sequence, HeadDim>(...): not exactly one axis of the operand is marked as a sequence.
template <class OperandAxes>
struct attention_has_no_sequence_axis;
/// padded_attention(q, k, v, lengths): the lengths are not int32, or their axes are not axes of the query.
template <dtype Found, class LengthAxes>
struct attention_lengths_do_not_fit;
}  // namespace error

namespace detail {

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

template <class Query, class Key, class HeadDim, bool Causal, class Group = axes<>>
struct attention_function {
    double scale = 0;  // 0: 1 / sqrt(HeadDim)

    template <dtype T, class Q, dtype U, class K, dtype V, class W>
    constexpr auto operator()(symbol<T, Q> q, symbol<U, K> k, symbol<V, W> v) const {
        return checked(q, k, v, graph::value{});
    }
    template <dtype T, class Q, dtype U, class K, dtype V, class W, dtype I, class N>
    constexpr auto operator()(symbol<T, Q> q, symbol<U, K> k, symbol<V, W> v, symbol<I, N> lengths) const {
        if constexpr (I != dtype::int32 || !shape::contains_all<N, shape::minus<Q, query_axes>>)
            return broken_rule<error::attention_lengths_do_not_fit<I, N>>{};
        else return checked<N>(q, k, v, lengths.value());
    }

private:
    using query_axes = shape::concat<axes<Query, HeadDim>, Group>;

    template <class Batch = void, dtype T, class Q, dtype U, class K, dtype V, class W>
    constexpr auto checked(symbol<T, Q> q, symbol<U, K> k, symbol<V, W> v, graph::value lengths) const {
        using no_query = shape::first_missing<query_axes, Q>;
        using no_key = shape::first_missing<axes<Key, HeadDim>, K>;
        using no_value = shape::first_missing<axes<Key, HeadDim>, W>;
        using rest = shape::minus<Q, query_axes>;
        if constexpr (T != dtype::real || U != dtype::real || V != dtype::real) {
            return broken_rule<error::operation_needs_real_operands<attention_function, (T != dtype::real   ? T
                                                                                         : U != dtype::real ? U
                                                                                                            : V)>>{};
        } else if constexpr (!std::is_void_v<no_query>) {
            return broken_rule<error::attention_axis_missing_in_query<no_query, extent_of<no_query>(), Q>>{};
        } else if constexpr (!std::is_void_v<no_key>) {
            return broken_rule<error::attention_axis_missing_in_key<no_key, extent_of<no_key>(), K>>{};
        } else if constexpr (!std::is_void_v<no_value>) {
            return broken_rule<error::attention_axis_missing_in_value<no_value, extent_of<no_value>(), W>>{};
        } else if constexpr (!shape::same_set<rest, shape::minus<K, axes<Key, HeadDim>>>) {
            return broken_rule<error::attention_batch_axes_differ<Q, K>>{};
        } else if constexpr (!shape::same_set<rest, shape::minus<W, axes<Key, HeadDim>>>) {
            return broken_rule<error::attention_batch_axes_differ<Q, W>>{};
        } else {
            graph::builder& g = q.graph();
            attention_axes a;
            a.group = axis_ids<Group>::in(g);
            if constexpr (!std::is_void_v<Batch>) {
                a.batch = axis_ids<Batch>::in(g);
                a.heads = axis_ids<shape::minus<rest, Batch>>::in(g);
                lengths = graph::dense(lengths);
            } else {
                // What stands before the time axis is batch, what stands after it heads.
                const graph::axis_list all = axis_ids<rest>::in(g), order = q.value().axes();
                const int time = order.find(axis_id<Query>(g));
                for (int i = 0; i < all.rank; ++i) (order.find(all[i]) < time ? a.batch : a.heads).push(all[i]);
            }
            const double s = scale != 0 ? scale : inverse_square_root(static_cast<double>(HeadDim::capacity));
            if constexpr (Causal) {
                if (const int start = g.scopes.back().cache_start; start >= 0) {
                    const graph::axis_list all = axis_ids<rest>::in(g);
                    a.batch = g.at(start).axes;
                    a.heads = graph::minus(all, a.batch);
                    for (int i = 0; i < a.batch.rank; ++i)
                        if (!all.contains(a.batch[i]))
                            g.fail(graph::failure::cache_batch_axis_missing,
                                   g.axes[static_cast<std::size_t>(a.batch[i])]->name);
                    if (g.problem == graph::failure::none)
                        return symbol<dtype::real, Q>(emit_cached_attention(q.value(), k.value(), v.value(), a,
                                                                            axis_id<Query>(g), axis_id<HeadDim>(g), s));
                }
            }
            return symbol<dtype::real, Q>(emit_attention(q.value(), k.value(), v.value(), lengths, a, axis_id<Query>(g),
                                                         axis_id<Key>(g), axis_id<HeadDim>(g), Causal, s));
        }
    }

    static constexpr double inverse_square_root(double x) {
        double r = 1;
        for (int i = 0; i < 64; ++i) r = 0.5 * (r + x / r);
        return 1 / r;
    }
};

template <class L>
struct packed_axis_of;
template <>
struct packed_axis_of<axes<>> {
    using type = void;
};
template <class A, class... B>
struct packed_axis_of<axes<A, B...>>
    : std::conditional_t<A::is_static && A::capacity == 3, std::type_identity<A>, packed_axis_of<axes<B...>>> {};

// The axes after `Time`.
template <class Time, class L>
struct axes_after {
    using type = axes<>;
};
template <class Time, class A, class... B>
struct axes_after<Time, axes<A, B...>>
    : std::conditional_t<std::is_same_v<Time, A>, std::type_identity<axes<B...>>, axes_after<Time, axes<B...>>> {};

template <class Time, class HeadDim, class Group>
struct causal_attention_function {
    template <dtype T, class Q, dtype U, class K, dtype V, class W>
    constexpr auto operator()(symbol<T, Q> q, symbol<U, K> k, symbol<V, W> v) const {
        using time = shape::resolved_sequence<Time, Q>;
        if constexpr (std::is_void_v<time>) return broken_rule<error::attention_has_no_sequence_axis<Q>>{};
        else return attention_function<time, time, HeadDim, true, Group>{}(q, k, v);
    }
};

template <class Marked, class HeadDim, class Packed>
struct packed_attention_function {
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        using time = shape::resolved_sequence<Marked, L>;
        if constexpr (std::is_void_v<time>) return broken_rule<error::attention_has_no_sequence_axis<L>>{};
        else return unpacked<time>(x);
    }

private:
    template <class Time, dtype T, class L>
    static constexpr auto unpacked(symbol<T, L> x) {
        using found = typename packed_axis_of<shape::minus<typename axes_after<Time, L>::type, axes<HeadDim>>>::type;
        using packed = std::conditional_t<std::is_void_v<Packed>, found, Packed>;
        if constexpr (std::is_void_v<packed>) {
            return broken_rule<error::attention_has_no_packed_axis<L>>{};
        } else if constexpr (!shape::contains<packed, L>) {
            return broken_rule<error::select_axis_not_in_operand<packed, extent_of<packed>(), L>>{};
        } else if constexpr (packed::capacity != 3) {
            return broken_rule<error::attention_packed_axis_is_not_three<packed, packed::capacity, L>>{};
        } else {
            const auto q = select_function<packed, 0>{}(x), k = select_function<packed, 1>{}(x),
                       v = select_function<packed, 2>{}(x);
            return attention_function<Time, Time, HeadDim, true>{}(q, k, v);
        }
    }
};

}  // namespace detail

/// out[i] = sum over j <= i of softmax_j(q[i] . k[j] / sqrt(D)) v[j], for every batch and head axis.
/// q, k, v have the axes `Time`, `HeadDim` and the same others (batch, heads) in any order; the result has q's. `Time`
/// may be `sequence`: the axis of q that is marked so.
/// Gradients of gradients are not defined for attention: asking for them is one error.
/// Vaswani et al.: Attention Is All You Need (2017), eq. (1). PyTorch: scaled_dot_product_attention(is_causal=True).
template <class Time, class HeadDim, Operand Q, Operand K, Operand V>
constexpr auto causal_attention(Q&& q, K&& k, V&& v) {
    return detail::apply(detail::causal_attention_function<Time, HeadDim, axes<>>{}, std::forward<Q>(q),
                         std::forward<K>(k), std::forward<V>(v));
}

/// The same with fewer heads of keys and values: k and v lack the axis `Group`, along which q's heads share them.
/// [Batch, Time, KeyHeads, Group, HeadDim] and twice [Batch, Time, KeyHeads, HeadDim]. Nothing is repeated in memory.
/// Ainslie et al.: GQA (2023). PyTorch: scaled_dot_product_attention(enable_gqa=True).
template <class Time, class HeadDim, class Group, Operand Q, Operand K, Operand V>
constexpr auto causal_attention(Q&& q, K&& k, V&& v) {
    return detail::apply(detail::causal_attention_function<Time, HeadDim, axes<Group>>{}, std::forward<Q>(q),
                         std::forward<K>(k), std::forward<V>(v));
}

/// The same with q, k and v packed along an axis of extent 3 (`Packed`; the first such axis after Time if not named),
/// as a fused projection yields them: [Batch, Time, QKV, Heads, HeadDim] gives [Batch, Time, Heads, HeadDim].
template <class Time, class HeadDim, class Packed = void, Operand X>
constexpr auto causal_attention(X&& x) {
    return detail::apply(detail::packed_attention_function<Time, HeadDim, Packed>{}, std::forward<X>(x));
}

/// out[i] = sum over all j of softmax_j(q[i] . k[j] / sqrt(D)) v[j]. q has the axis `Query`, k and v have `Key` (the
/// same axis for self-attention, another for cross-attention). PyTorch: scaled_dot_product_attention.
template <class Query, class Key, class HeadDim, Operand Q, Operand K, Operand V>
constexpr auto attention(Q&& q, K&& k, V&& v) {
    return detail::apply(detail::attention_function<Query, Key, HeadDim, false>{}, std::forward<Q>(q),
                         std::forward<K>(k), std::forward<V>(v));
}

/// The same where only the first `lengths[b]` keys of an entry exist (int32, with the batch axes): the rest is
/// padding. A query that sees no key gets zeros. PyTorch: key_padding_mask.
template <class Query, class Key, class HeadDim, Operand Q, Operand K, Operand V, Operand N>
constexpr auto padded_attention(Q&& q, K&& k, V&& v, N&& lengths) {
    return detail::apply(detail::attention_function<Query, Key, HeadDim, false>{}, std::forward<Q>(q),
                         std::forward<K>(k), std::forward<V>(v), std::forward<N>(lengths));
}

}  // namespace tenet
