// SPDX-License-Identifier: MIT
// op: root-mean-square normalisation over one or more axes.
#pragma once

#include <tenet/kernel/rms_norm.hpp>
#include <tenet/op/normalization.hpp>

namespace tenet {
namespace error {
template <class A, std::size_t Extent, class OperandAxes>
struct rms_norm_axis_not_in_operand;
/// rms_norm<A...>(x, weight): the weight has other axes than A.
template <class NormalisedAxes, class WeightAxes>
struct rms_norm_weight_axes_differ;
}  // namespace error

namespace detail {

constexpr void rms_norm_backward_vjp(graph::builder& g, int id, int) {
    const graph::node n = g.at(id);
    const bool weighted = n.integer[2] != 0;
    list<int> operands{n.input[0], n.input[1]};
    if (weighted) operands.push_back(n.input[3]);
    graph::differentiate_decomposition(g, operands, graph::result_cotangents(g, id, 2), [&] {
        const graph::value dy(g, n.input[0]), x(g, n.input[1]);
        const graph::value rstd = rsqrt_of(mean_of(x * x, n.over) + n.number[0]);
        const graph::value y = x * rstd;
        const graph::value d = weighted ? dy * graph::value(g, n.input[3]) : dy;
        const graph::axis_list rows = graph::minus(n.axes, n.over);
        return list<graph::value>{rstd * (d - y * mean_of(d * y, n.over)), graph::reduce_sum(dy * y, rows)};
    });
}

constexpr void rms_norm_vjp(graph::builder& g, int id, int cotangent) {
    const graph::node n = g.at(id);
    const graph::value dy = graph::dense(graph::arrange(graph::in_memory(graph::value(g, cotangent)), n.axes));
    const graph::axis_list rows = graph::minus(n.axes, n.over);
    graph::node b;
    b.op = graph::kind::rms_norm_backward;
    b.vjp = &rms_norm_backward_vjp;
    b.axes = n.axes;
    b.over = n.over;
    b.number[0] = n.number[0];
    b.integer[2] = n.input_count > 1;
    b.add_input(dy.id());
    b.add_input(n.input[0]);
    b.add_input(existing_output(g, id, 1).id());
    if (n.input_count > 1) b.add_input(n.input[1]);
    const graph::value dx(g, g.emit(b));
    const graph::value dgamma = output_of(dx, 1, n.over, false);
    static_cast<void>(output_of(dx, 2, graph::axis_list{}, true,
                                kernel::rms_norm_backward_workspace(g.capacity(rows), g.capacity(n.over))));
    graph::accumulate(g, n.input[0], dx);
    if (n.input_count > 1) graph::accumulate(g, n.input[1], dgamma);
}

constexpr graph::value emit_rms_norm(graph::value x, graph::axis_list const& over, double eps,
                                     std::initializer_list<graph::value> weight) {
    graph::builder& g = x.graph();
    const graph::axis_list order = x.axes();
    x = innermost(x, over);
    graph::node n;
    n.op = graph::kind::rms_norm;
    n.vjp = &rms_norm_vjp;
    n.axes = x.axes();
    n.over = over;
    n.number[0] = eps;
    n.add_input(x.id());
    for (graph::value w : weight) n.add_input(graph::dense(graph::arrange(graph::in_memory(w), over)).id());
    const graph::value y(g, g.emit(n));
    static_cast<void>(output_of(y, 1, graph::minus(n.axes, over), true));
    return graph::arrange(y, order);
}

template <class... K>
struct rms_norm_function {
    double eps = 1e-5;
    template <dtype T, class L, dtype... U, class... W>
    constexpr auto operator()(symbol<T, L> x, symbol<U, W>... weight) const {
        static_assert(sizeof...(W) <= 1, "rms_norm<A...>(x [, weight])");
        using missing = shape::first_missing<axes<K...>, L>;
        if constexpr (!is_number_like(T))
            return broken_rule<error::reduction_needs_a_real_operand<rms_norm_function, T>>{};
        else if constexpr (!std::is_void_v<missing>)
            return broken_rule<error::rms_norm_axis_not_in_operand<missing, extent_of<missing>(), L>>{};
        else if constexpr (!(shape::same_set<W, axes<K...>> && ...))
            return broken_rule<error::rms_norm_weight_axes_differ<axes<K...>, first_unlike<axes<K...>, W...>>>{};
        else
            return symbol<dtype::real, L>(
                emit_rms_norm(x.value(), axis_ids<axes<K...>>::in(x.graph()), eps, {weight.value()...}));
    }
};

}  // namespace detail

/// y = x / sqrt(mean(x^2) + eps) * weight, the mean over the axes `K...`. eps is 1e-5 unless given.
/// Zhang, Sennrich: Root Mean Square Layer Normalization (2019), eq. (4).
template <class... K, Operand X, class... W>
requires(Operand<W> && ...)
constexpr auto rms_norm(X&& x, W&&... weight) {
    return detail::apply(detail::rms_norm_function<K...>{}, std::forward<X>(x), std::forward<W>(weight)...);
}
template <class... K, Operand X, Operand W>
requires(!detail::is_lazy<std::remove_cvref_t<X>>)
constexpr auto rms_norm(X&& x, W&& weight, double eps) {
    return detail::apply(detail::rms_norm_function<K...>{eps}, x, weight);
}

}  // namespace tenet
