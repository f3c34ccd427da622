// SPDX-License-Identifier: MIT
// op: what the normalisations over axes share: y = (x - mean) * rstd * weight + bias, or without mean and bias.
#pragma once

#include <initializer_list>
#include <type_traits>

#include <tenet/op/results.hpp>

namespace tenet::detail {

constexpr graph::value rsqrt_of(graph::value x) {
    return graph::elementwise(graph::info_of<op::rsqrt_op>, {x});
}
constexpr graph::value mean_of(graph::value x, graph::axis_list const& over) {
    return graph::reduce_sum(x, over) * graph::inverse_count(x.graph(), over);
}

// The first of the lists `W...` whose axes are not those of `L`.
template <class L, class... W>
struct find_unlike {
    using type = void;
};
template <class L, class W, class... Rest>
struct find_unlike<L, W, Rest...>
    : std::conditional_t<shape::same_set<W, L>, find_unlike<L, Rest...>, std::type_identity<W>> {};
template <class L, class... W>
using first_unlike = typename find_unlike<L, W...>::type;

// A normalisation is said by a struct `Norm` of:
//   kind, backward_kind          its nodes;
//   statistics                   numbers that each row keeps for the backward computation, rstd the last: 2 with the
//                                mean before it, which then is subtracted, else 1. As many parameters may follow x;
//   backward_workspace(m, n)     numbers that the kernel of backward_kind needs for m rows of n;
//   axis_missing, weight_differs the templates of its errors.
template <class Norm>
inline constexpr bool centres = Norm::statistics == 2;

// From operands dy, x, the statistics, and gamma if there is one, to dx, dgamma (and dbeta); written from elementary
// nodes.
template <class Norm>
constexpr void normalization_backward_vjp(graph::builder& g, int id, int) {
    constexpr int gamma = 2 + Norm::statistics;
    const graph::node n = g.at(id);
    const bool weighted = n.integer[2] != 0;
    list<int> operands{n.input[0], n.input[1]};
    if (weighted) operands.push_back(n.input[gamma]);
    graph::differentiate_decomposition(g, operands, graph::result_cotangents(g, id, 1 + Norm::statistics), [&] {
        const graph::value dy(g, n.input[0]), x(g, n.input[1]);
        const graph::value centred = centres<Norm> ? x - mean_of(x, n.over) : x;
        const graph::value rstd = rsqrt_of(mean_of(centred * centred, n.over) + n.number[0]);
        const graph::value y = centred * rstd;
        const graph::value d = weighted ? dy * graph::value(g, n.input[gamma]) : dy;
        const graph::axis_list rows = graph::minus(n.axes, n.over);
        const graph::value across = centres<Norm> ? d - mean_of(d, n.over) : d;
        list<graph::value> results{rstd * (across - y * mean_of(d * y, n.over)), graph::reduce_sum(dy * y, rows)};
        if (centres<Norm>) results.push_back(graph::reduce_sum(dy, rows));
        return results;
    });
}

template <class Norm>
constexpr void normalization_vjp(graph::builder& g, int id, int cotangent) {
    const graph::node n = g.at(id);
    const graph::value dy = graph::dense(graph::arrange(graph::in_memory(graph::value(g, cotangent)), n.axes));
    const graph::axis_list rows = graph::minus(n.axes, n.over);
    graph::node b;
    b.op = Norm::backward_kind;
    b.vjp = &normalization_backward_vjp<Norm>;
    b.axes = n.axes;
    b.over = n.over;
    b.number[0] = n.number[0];
    b.integer[2] = n.input_count > 1;
    b.add_input(dy.id());
    b.add_input(n.input[0]);
    for (int s = 1; s <= Norm::statistics; ++s) b.add_input(existing_output(g, id, s).id());
    if (n.input_count > 1) b.add_input(n.input[1]);
    const graph::value dx(g, g.emit(b));
    for (int p = 1; p <= Norm::statistics; ++p) static_cast<void>(output_of(dx, p, n.over, false));
    static_cast<void>(output_of(dx, 1 + Norm::statistics, graph::axis_list{}, true,
                                Norm::backward_workspace(g.capacity(rows), g.capacity(n.over))));
    graph::accumulate(g, n.input[0], dx);
    for (int p = 1; p < n.input_count; ++p) graph::accumulate(g, n.input[p], existing_output(g, dx.id(), p));
}

template <class Norm>
constexpr graph::value emit_normalization(graph::value x, graph::axis_list const& over, double eps,
                                          std::initializer_list<graph::value> parameters) {
    graph::builder& g = x.graph();
    const graph::axis_list order = x.axes();
    x = innermost(x, over);
    graph::node n;
    n.op = Norm::kind;
    n.vjp = &normalization_vjp<Norm>;
    n.axes = x.axes();
    n.over = over;
    n.number[0] = eps;
    n.add_input(x.id());
    for (graph::value w : parameters) n.add_input(graph::dense(graph::arrange(graph::in_memory(w), over)).id());
    const graph::value y(g, g.emit(n));
    for (int s = 1; s <= Norm::statistics; ++s) static_cast<void>(output_of(y, s, graph::minus(n.axes, over), true));
    return graph::arrange(y, order);
}

template <class Norm, class... K>
struct normalization_function {
    double eps = 1e-5;
    template <dtype T, class L, dtype... U, class... W>
    constexpr auto operator()(symbol<T, L> x, symbol<U, W>... parameters) const {
        static_assert(sizeof...(W) <= Norm::statistics,
                      "layer_norm<A...>(x [, weight [, bias]]), rms_norm<A...>(x [, weight])");
        using missing = shape::first_missing<axes<K...>, L>;
        if constexpr (!is_number_like(T))
            return broken_rule<error::reduction_needs_a_real_operand<normalization_function, T>>{};
        else if constexpr (!std::is_void_v<missing>)
            return broken_rule<typename Norm::template axis_missing<missing, extent_of<missing>(), L>>{};
        else if constexpr (!(shape::same_set<W, axes<K...>> && ...))
            return broken_rule<typename Norm::template weight_differs<axes<K...>, first_unlike<axes<K...>, W...>>>{};
        else
            return symbol<dtype::real, L>(
                emit_normalization<Norm>(x.value(), axis_ids<axes<K...>>::in(x.graph()), eps, {parameters.value()...}));
    }
};

}  // namespace tenet::detail
