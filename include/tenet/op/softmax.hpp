// SPDX-License-Identifier: MIT
// op: softmax, log-softmax and log-sum-exp over one or more axes, stable for any finite input.
#pragma once

#include <tenet/base/list.hpp>

#include <tenet/graph/differentiate.hpp>
#include <tenet/op/reduce.hpp>

namespace tenet {
namespace error {
template <class A, std::size_t Extent, class OperandAxes>
struct softmax_axis_not_in_operand;
template <class A, std::size_t Extent>
struct softmax_axis_repeated;
template <class A, std::size_t Extent, class OperandAxes>
struct log_softmax_axis_not_in_operand;
template <class A, std::size_t Extent>
struct log_softmax_axis_repeated;
template <class A, std::size_t Extent, class OperandAxes>
struct logsumexp_axis_not_in_operand;
template <class A, std::size_t Extent>
struct logsumexp_axis_repeated;
}  // namespace error

namespace detail {

/// `x` dense, with the axes `over` side by side (in x's order), so that a kernel sees [before, over, after].
constexpr graph::value side_by_side(graph::value x, graph::axis_list const& over) {
    x = graph::dense(graph::in_memory(graph::as_real(x)));
    const graph::axis_list axes = x.axes();
    int first = axes.rank, last = -1;
    for (int i = 0; i < axes.rank; ++i)
        if (over.contains(axes[i])) {
            first = i < first ? i : first;
            last = i;
        }
    if (last - first + 1 == over.rank) return x;
    graph::axis_list order = graph::minus(axes, over);
    for (int i = 0; i < axes.rank; ++i)
        if (over.contains(axes[i])) order.push(axes[i]);
    return graph::arrange(x, order);
}

constexpr graph::value emit_rows(graph::kind op, graph::vjp_function vjp, graph::axis_list const& axes,
                                 graph::axis_list const& over, std::initializer_list<graph::value> operands) {
    graph::builder& g = operands.begin()->graph();
    graph::node n;
    n.op = op;
    n.vjp = vjp;
    n.axes = axes;
    n.over = over;
    for (graph::value x : operands) n.add_input(x.id());
    return {g, g.emit(n)};
}

constexpr graph::value exp_of(graph::value x) {
    return graph::elementwise(graph::info_of<op::exp_op>, {x});
}

// dx = y (dy - sum(y dy)), from operands y and dy.
constexpr void softmax_backward_vjp(graph::builder& g, int id, int cotangent) {
    const graph::node n = g.at(id);
    graph::differentiate_decomposition(g, {n.input[0], n.input[1]}, {cotangent}, [&] {
        const graph::value y(g, n.input[0]), dy(g, n.input[1]);
        return list<graph::value>{y * (dy - graph::reduce_sum(y * dy, n.over))};
    });
}
constexpr void softmax_vjp(graph::builder& g, int id, int cotangent) {
    const graph::node n = g.at(id);
    const graph::value y(g, id), dy = graph::dense(graph::in_memory(graph::value(g, cotangent)));
    graph::accumulate(g, n.input[0],
                      emit_rows(graph::kind::softmax_backward, &softmax_backward_vjp, n.axes, n.over,
                                {y, graph::arrange(dy, n.axes)}));
}

// dx = dy - exp(y) sum(dy), from operands y (log-probabilities) and dy.
constexpr void log_softmax_backward_vjp(graph::builder& g, int id, int cotangent) {
    const graph::node n = g.at(id);
    graph::differentiate_decomposition(g, {n.input[0], n.input[1]}, {cotangent}, [&] {
        const graph::value y(g, n.input[0]), dy(g, n.input[1]);
        return list<graph::value>{dy - exp_of(y) * graph::reduce_sum(dy, n.over)};
    });
}
constexpr void log_softmax_vjp(graph::builder& g, int id, int cotangent) {
    const graph::node n = g.at(id);
    const graph::value y(g, id), dy = graph::dense(graph::in_memory(graph::value(g, cotangent)));
    graph::accumulate(g, n.input[0],
                      emit_rows(graph::kind::log_softmax_backward, &log_softmax_backward_vjp, n.axes, n.over,
                                {y, graph::arrange(dy, n.axes)}));
}

// dx = softmax(x) dy: finite even where a whole row is -inf.
constexpr void logsumexp_vjp(graph::builder& g, int id, int cotangent) {
    const graph::node n = g.at(id);
    const graph::value x(g, n.input[0]);
    const graph::value p = emit_rows(graph::kind::softmax, &softmax_vjp, x.axes(), n.over, {x});
    graph::accumulate(g, n.input[0], p * graph::value(g, cotangent));
}

struct softmax_rule {
    static constexpr graph::value emit(graph::value x, graph::axis_list const& over) {
        const graph::axis_list order = x.axes();
        x = side_by_side(x, over);
        return graph::arrange(emit_rows(graph::kind::softmax, &softmax_vjp, x.axes(), over, {x}), order);
    }
};
struct log_softmax_rule {
    static constexpr graph::value emit(graph::value x, graph::axis_list const& over) {
        const graph::axis_list order = x.axes();
        x = side_by_side(x, over);
        return graph::arrange(emit_rows(graph::kind::log_softmax, &log_softmax_vjp, x.axes(), over, {x}), order);
    }
};
struct logsumexp_rule {
    static constexpr graph::value emit(graph::value x, graph::axis_list const& over) {
        x = side_by_side(x, over);
        return emit_rows(graph::kind::logsumexp, &logsumexp_vjp, graph::minus(x.axes(), over), over, {x});
    }
};

/// Checks the axes of a softmax-like operation, which keeps the operand's axes.
template <template <class, std::size_t, class> class NotThere, template <class, std::size_t> class Repeated, class F,
          class... K>
struct softmax_function {
    static_assert(sizeof...(K) > 0, "softmax<A...>(x): name the axes that it runs over");
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        using missing = shape::first_missing<axes<K...>, L>;
        using repeated = shape::first_repeated<axes<K...>>;
        if constexpr (!is_number_like(T)) return broken_rule<error::reduction_needs_a_real_operand<F, T>>{};
        else if constexpr (!std::is_void_v<missing>) return broken_rule<NotThere<missing, extent_of<missing>(), L>>{};
        else if constexpr (!std::is_void_v<repeated>) return broken_rule<Repeated<repeated, extent_of<repeated>()>>{};
        else return symbol<dtype::real, L>(F::emit(x.value(), axis_ids<axes<K...>>::in(x.graph())));
    }
};

}  // namespace detail

/// y = exp(x - max) / sum over the axes `K...` of exp(x - max). dx = y (dy - sum(y dy)).
/// A row that is -inf throughout (all masked) gives zeros, where PyTorch gives NaN. PyTorch: torch.softmax.
template <class... K, Operand X>
constexpr auto softmax(X&& x) {
    return detail::apply(detail::softmax_function<error::softmax_axis_not_in_operand, error::softmax_axis_repeated,
                                                  detail::softmax_rule, K...>{},
                         std::forward<X>(x));
}

/// y = x - logsumexp(x) over the axes `K...`. dx = dy - exp(y) sum(dy). A row that is -inf throughout stays -inf.
/// PyTorch: torch.log_softmax.
template <class... K, Operand X>
constexpr auto log_softmax(X&& x) {
    return detail::apply(detail::softmax_function<error::log_softmax_axis_not_in_operand,
                                                  error::log_softmax_axis_repeated, detail::log_softmax_rule, K...>{},
                         std::forward<X>(x));
}

/// y = ln sum over the axes `K...` of e^x, computed around the maximum; -inf for a row of -inf. dx = softmax(x) dy.
/// PyTorch: torch.logsumexp.
template <class... K, Operand X>
constexpr auto logsumexp(X&& x) {
    static_assert(sizeof...(K) > 0, "logsumexp<A...>(x): name the axes that it runs over");
    return detail::apply(detail::reduction_function<error::logsumexp_axis_not_in_operand,
                                                    error::logsumexp_axis_repeated, detail::logsumexp_rule, K...>{},
                         std::forward<X>(x));
}

}  // namespace tenet
