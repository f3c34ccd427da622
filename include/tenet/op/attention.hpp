// SPDX-License-Identifier: MIT
// op: scaled dot-product attention, fused: full, causal, padded, self and cross.
#pragma once

#include <tenet/op/attention_nodes.hpp>
#include <tenet/op/rearrange.hpp>
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
