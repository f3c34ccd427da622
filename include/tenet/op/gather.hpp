// SPDX-License-Identifier: MIT
// op: reading rows by index: embeddings, gathering along an axis, one-hot vectors.
#pragma once

#include <tenet/graph/dequantize.hpp>
#include <tenet/op/adapter.hpp>
#include <tenet/op/cast.hpp>

namespace tenet {
namespace error {
/// gather<A>(x, index): x has no axis A.
template <class A, std::size_t Extent, class OperandAxes>
struct gather_axis_not_in_operand;
/// gather<A>(x, index): the index has the axis A itself; give it an axis of its own.
template <class A, std::size_t Extent, class IndexAxes>
struct gather_index_has_the_axis;
/// lookup(table, index) or gather<A>(x, index): the index is not int32.
template <dtype Found>
struct gather_needs_an_int32_index;
/// lookup(table, index): the index has an axis of the table's rows.
template <class A, std::size_t Extent, class IndexAxes>
struct lookup_axis_in_both;
/// one_hot<A>(index): the index already has the axis A.
template <class A, std::size_t Extent, class IndexAxes>
struct one_hot_axis_already_in_index;
/// positions<A>(x): x has no axis A.
template <class A, std::size_t Extent, class OperandAxes>
struct positions_axis_not_in_operand;
}  // namespace error

namespace detail {

constexpr void gather_vjp(graph::builder& g, int id, int cotangent);

// operands: table [batch..., A, rest...], index [batch..., new...]; result [batch..., new..., rest...].
constexpr graph::value emit_gather(graph::value table, graph::value index, graph::axis_list const& result,
                                   graph::axis_list const& batch, int axis) {
    graph::node n;
    n.op = graph::kind::gather_rows;
    n.vjp = &gather_vjp;
    n.axes = result;
    n.over.push(axis);
    n.physical = batch;
    if (batch.rank == 0) table = graph::stored(table);
    n.add_input(table.id());
    n.add_input(index.id());
    return {table.graph(), table.graph().emit(n)};
}

constexpr void scatter_vjp(graph::builder& g, int id, int cotangent) {
    const graph::node n = g.at(id);
    const graph::value dy = graph::dense(graph::arrange(graph::in_memory(graph::value(g, cotangent)), n.axes));
    graph::accumulate(g, n.input[0],
                      emit_gather(dy, graph::value(g, n.input[1]), g.at(n.input[0]).axes, n.physical, n.over[0]));
}

constexpr void gather_vjp(graph::builder& g, int id, int cotangent) {
    const graph::node n = g.at(id);
    const graph::value dy = graph::dense(graph::arrange(graph::in_memory(graph::value(g, cotangent)), n.axes));
    graph::node s;
    s.op = graph::kind::scatter_add_rows;
    s.vjp = &scatter_vjp;
    s.axes = g.at(n.input[0]).axes;
    s.over = n.over;
    s.physical = n.physical;
    s.add_input(dy.id());
    s.add_input(n.input[1]);
    graph::accumulate(g, n.input[0], graph::value(g, g.emit(s)));
}

template <class A>
struct gather_function {
    template <dtype T, class L, dtype U, class I>
    constexpr auto operator()(symbol<T, L> x, symbol<U, I> index) const {
        if constexpr (T != dtype::real) return broken_rule<error::operation_needs_real_operands<gather_function, T>>{};
        else if constexpr (U != dtype::int32) return broken_rule<error::gather_needs_an_int32_index<U>>{};
        else if constexpr (!shape::contains<A, L>)
            return broken_rule<error::gather_axis_not_in_operand<A, A::capacity, L>>{};
        else if constexpr (shape::contains<A, I>)
            return broken_rule<error::gather_index_has_the_axis<A, A::capacity, I>>{};
        else {
            using rest = shape::minus<shape::minus<L, axes<A>>, I>;
            using batch = shape::intersection<I, L>;
            using fresh = shape::minus<I, L>;
            graph::builder& g = x.graph();
            const graph::value table = graph::dense(
                graph::arrange(graph::in_memory(x.value()), axis_ids<shape::concat<batch, axes<A>, rest>>::in(g)));
            const graph::value rows =
                graph::dense(graph::arrange(index.value(), axis_ids<shape::concat<batch, fresh>>::in(g)));
            using natural = shape::concat<batch, fresh, rest>;
            return typed<dtype::real, shape::concat<I, rest>>(
                emit_gather(table, rows, axis_ids<natural>::in(g), axis_ids<batch>::in(g), axis_id<A>(g)));
        }
    }
};

struct lookup_function {
    template <dtype T, class V, class... E, dtype U, class I>
    constexpr auto operator()(symbol<T, axes<V, E...>> table, symbol<U, I> index) const {
        using both = shape::intersection<axes<V, E...>, I>;
        if constexpr (U != dtype::int32) {
            return broken_rule<error::gather_needs_an_int32_index<U>>{};
        } else if constexpr (!std::is_same_v<both, axes<>>) {
            using first = shape::first_missing<both, axes<>>;
            return broken_rule<error::lookup_axis_in_both<first, extent_of<first>(), I>>{};
        } else {
            return gather_function<V>{}(table, index);
        }
    }
};

constexpr graph::value positions_along(graph::builder& g, int axis) {
    graph::node n;
    n.op = graph::kind::iota;
    n.over.push(axis);
    n.axes.push(axis);
    return {g, g.emit(n)};
}

template <class A>
struct one_hot_function {
    template <dtype U, class I>
    constexpr auto operator()(symbol<U, I> index) const {
        if constexpr (U != dtype::int32) return broken_rule<error::gather_needs_an_int32_index<U>>{};
        else if constexpr (shape::contains<A, I>)
            return broken_rule<error::one_hot_axis_already_in_index<A, A::capacity, I>>{};
        else {
            using result = shape::concat<I, axes<A>>;
            graph::builder& g = index.graph();
            const graph::axis_list order = axis_ids<result>::in(g);
            const graph::value hit = graph::elementwise(graph::info_of<graph::equal_op>,
                                                        {index.value(), positions_along(g, axis_id<A>(g))}, &order);
            return symbol<dtype::real, result>(graph::elementwise(graph::info_of<graph::detail::identity_op>, {hit}));
        }
    }
};

template <class A>
struct positions_function {
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        if constexpr (!shape::contains<A, L>)
            return broken_rule<error::positions_axis_not_in_operand<A, A::capacity, L>>{};
        else return symbol<dtype::real, axes<A>>(positions_along(x.graph(), axis_id<A>(x.graph())));
    }
};

}  // namespace detail

/// y[i..., e...] = table[index[i...], e...]: rows of a table by int32 index; the table's first axis is looked up.
/// dtable adds the rows of dy in the order of their positions, so the result is the same for any number of threads.
/// Run-time error: an index outside of the table. PyTorch: torch.nn.functional.embedding.
template <Operand Table, Operand Index>
constexpr auto lookup(Table&& table, Index&& index) {
    auto rows = detail::apply(detail::lookup_function{}, std::forward<Table>(table), std::forward<Index>(index));
    // A parameter may be adapted where its rows are read, as where it is contracted.
    if constexpr (detail::is_parameter<std::remove_cvref_t<Table>> && detail::is_symbol<decltype(rows)>)
        return detail::adapt_lookup(rows, index, table);
    else return rows;
}

/// y[i..., r...] = x[..., index[i...], r...] along the axis `A` of x: axes of the index that x has too are walked
/// together, others are new. `gather<Vocab>(log_softmax<Vocab>(logits), targets)` picks each token's log-probability:
/// [Batch, Time, Vocab] and [Batch, Time] give [Batch, Time]. PyTorch: torch.gather, numpy.take_along_axis.
template <class A, Operand X, Operand Index>
constexpr auto gather(X&& x, Index&& index) {
    return detail::apply(detail::gather_function<A>{}, std::forward<X>(x), std::forward<Index>(index));
}

/// y[i..., a] = 1 where index[i...] == a, else 0, along the new axis `A`; an index out of range gives zeros.
/// PyTorch: torch.nn.functional.one_hot.
template <class A, Operand Index>
constexpr auto one_hot(Index&& index) {
    return detail::apply(detail::one_hot_function<A>{}, std::forward<Index>(index));
}

/// The numbers 0, 1, 2, ... along the axis `A` of `x`; computed where they are used, never stored.
/// PyTorch: torch.arange.
template <class A, Operand X>
constexpr auto positions(X&& x) {
    return detail::apply(detail::positions_function<A>{}, std::forward<X>(x));
}

}  // namespace tenet
