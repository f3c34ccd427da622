// SPDX-License-Identifier: MIT
// op: layer normalisation over one or more axes.
#pragma once

#include <tenet/kernel/layer_norm.hpp>
#include <tenet/op/normalization.hpp>

namespace tenet {
namespace error {
template <class A, std::size_t Extent, class OperandAxes>
struct layer_norm_axis_not_in_operand;
/// layer_norm<A...>(x, weight, bias): the weight or bias has other axes than A.
template <class NormalisedAxes, class WeightAxes>
struct layer_norm_weight_axes_differ;
}  // namespace error

namespace detail {

// From operands dy, x, gamma (or none), mean, rstd to dx, dgamma, dbeta; written from elementary nodes.
constexpr void layer_norm_backward_vjp(graph::builder& g, int id, int) {
    const graph::node n = g.at(id);
    const bool weighted = n.integer[2] != 0;
    list<int> operands{n.input[0], n.input[1]};
    if (weighted) operands.push_back(n.input[4]);
    graph::differentiate_decomposition(g, operands, graph::result_cotangents(g, id, 3), [&] {
        const graph::value dy(g, n.input[0]), x(g, n.input[1]);
        const graph::value centred = x - mean_of(x, n.over);
        const graph::value rstd = rsqrt_of(mean_of(centred * centred, n.over) + n.number[0]);
        const graph::value y = centred * rstd;
        const graph::value d = weighted ? dy * graph::value(g, n.input[4]) : dy;
        const graph::axis_list rows = graph::minus(n.axes, n.over);
        return list<graph::value>{rstd * (d - mean_of(d, n.over) - y * mean_of(d * y, n.over)),
                                  graph::reduce_sum(dy * y, rows), graph::reduce_sum(dy, rows)};
    });
}

constexpr void layer_norm_vjp(graph::builder& g, int id, int cotangent) {
    const graph::node n = g.at(id);
    const graph::value dy = graph::dense(graph::arrange(graph::in_memory(graph::value(g, cotangent)), n.axes));
    const graph::axis_list rows = graph::minus(n.axes, n.over);
    graph::node b;
    b.op = graph::kind::layer_norm_backward;
    b.vjp = &layer_norm_backward_vjp;
    b.axes = n.axes;
    b.over = n.over;
    b.number[0] = n.number[0];
    b.integer[2] = n.input_count > 1;
    b.add_input(dy.id());
    b.add_input(n.input[0]);
    b.add_input(existing_output(g, id, 1).id());
    b.add_input(existing_output(g, id, 2).id());
    if (n.input_count > 1) b.add_input(n.input[1]);
    const graph::value dx(g, g.emit(b));
    const graph::value dgamma = output_of(dx, 1, n.over, false), dbeta = output_of(dx, 2, n.over, false);
    static_cast<void>(output_of(dx, 3, graph::axis_list{}, true,
                                kernel::layer_norm_backward_workspace(g.capacity(rows), g.capacity(n.over))));
    graph::accumulate(g, n.input[0], dx);
    if (n.input_count > 1) graph::accumulate(g, n.input[1], dgamma);
    if (n.input_count > 2) graph::accumulate(g, n.input[2], dbeta);
}

constexpr graph::value emit_layer_norm(graph::value x, graph::axis_list const& over, double eps,
                                       std::initializer_list<graph::value> affine) {
    graph::builder& g = x.graph();
    const graph::axis_list order = x.axes();
    x = innermost(x, over);
    graph::node n;
    n.op = graph::kind::layer_norm;
    n.vjp = &layer_norm_vjp;
    n.axes = x.axes();
    n.over = over;
    n.number[0] = eps;
    n.add_input(x.id());
    for (graph::value w : affine) n.add_input(graph::dense(graph::arrange(graph::in_memory(w), over)).id());
    const graph::value y(g, g.emit(n));
    const graph::axis_list rows = graph::minus(n.axes, over);
    static_cast<void>(output_of(y, 1, rows, true));
    static_cast<void>(output_of(y, 2, rows, true));
    return graph::arrange(y, order);
}

template <class... K>
struct layer_norm_function {
    double eps = 1e-5;
    template <dtype T, class L, dtype... U, class... W>
    constexpr auto operator()(symbol<T, L> x, symbol<U, W>... affine) const {
        static_assert(sizeof...(W) <= 2, "layer_norm<A...>(x [, weight [, bias]])");
        using missing = shape::first_missing<axes<K...>, L>;
        if constexpr (!is_number_like(T))
            return broken_rule<error::reduction_needs_a_real_operand<layer_norm_function, T>>{};
        else if constexpr (!std::is_void_v<missing>)
            return broken_rule<error::layer_norm_axis_not_in_operand<missing, extent_of<missing>(), L>>{};
        else if constexpr (!(shape::same_set<W, axes<K...>> && ...))
            return broken_rule<error::layer_norm_weight_axes_differ<axes<K...>, first_unlike<axes<K...>, W...>>>{};
        else
            return symbol<dtype::real, L>(
                emit_layer_norm(x.value(), axis_ids<axes<K...>>::in(x.graph()), eps, {affine.value()...}));
    }
};

}  // namespace detail

/// y = (x - mean) / sqrt(variance + eps) * weight + bias, mean and (biased) variance over the axes `K...`; weight and
/// bias, if given, have exactly the axes K. eps is 1e-5 unless given (inside programs only).
/// Ba, Kiros, Hinton: Layer Normalization (2016). PyTorch: torch.nn.functional.layer_norm.
template <class... K, Operand X, class... W>
requires(Operand<W> && ...)
constexpr auto layer_norm(X&& x, W&&... affine) {
    return detail::apply(detail::layer_norm_function<K...>{}, std::forward<X>(x), std::forward<W>(affine)...);
}
template <class... K, Operand X, Operand W, Operand B>
requires(!detail::is_lazy<std::remove_cvref_t<X>>)
constexpr auto layer_norm(X&& x, W&& weight, B&& bias, double eps) {
    return detail::apply(detail::layer_norm_function<K...>{eps}, x, weight, bias);
}

}  // namespace tenet
