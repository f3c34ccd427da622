// SPDX-License-Identifier: MIT
// op: dropout with counter-based randomness: equal for any number of threads, recomputed and never stored.
#pragma once

#include <tenet/op/comparison.hpp>

namespace tenet {
namespace detail {

struct dropout_function {
    double rate = 0;
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        graph::builder& g = x.graph();
        if (!g.training || rate <= 0) return symbol<dtype::real, L>(x.value());
        if (rate >= 1) return symbol<dtype::real, L>(graph::zeros(g, x.value().axes()));
        graph::node n;
        n.op = graph::kind::random;
        n.zero_gradient = true;
        n.axes = x.value().axes();
        n.integer[0] = g.random_streams++;
        const graph::value uniform(g, g.emit(n));
        const graph::value kept =
            graph::elementwise(graph::info_of<op::greater_equal_op>, {uniform, graph::constant(g, rate)});
        return symbol<dtype::real, L>(x.value() * (kept * (1 / (1 - rate))));
    }
};

}  // namespace detail

/// In a training program: y = x / (1 - rate) with probability 1 - rate, else 0, drawn anew every step from
/// (seed, step, operation, layer, element). In other programs: y = x. dx uses the same draws.
/// Srivastava et al. (2014). PyTorch: torch.nn.functional.dropout.
template <Operand X>
requires(!detail::is_lazy<std::remove_cvref_t<X>>)
constexpr auto dropout(X&& x, double rate) {
    return detail::apply(detail::dropout_function{rate}, std::forward<X>(x));
}

}  // namespace tenet
