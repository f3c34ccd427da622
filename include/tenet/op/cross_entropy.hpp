// SPDX-License-Identifier: MIT
// op: cross-entropy of logits against class indices, fused: the log-probabilities are never stored.
#pragma once

#include <tenet/op/gather.hpp>
#include <tenet/op/results.hpp>
#include <tenet/op/softmax.hpp>

namespace tenet {
namespace error {
template <class A, std::size_t Extent, class LogitsAxes>
struct cross_entropy_axis_not_in_logits;
/// cross_entropy<A>(logits, targets): the targets' axes are not those of the logits without A.
template <class ExpectedAxes, class TargetAxes>
struct cross_entropy_target_axes_differ;
template <dtype Found>
struct cross_entropy_targets_are_not_int32;
}  // namespace error

/// How the losses of the rows become one.
enum class reduction { mean, sum, none };

/// Options of `cross_entropy`; the defaults are PyTorch's.
struct cross_entropy_options {
    std::int32_t ignore_index = -100;                  ///< rows with this target count for nothing
    double label_smoothing = 0;                        ///< e: (1-e) on the target plus e spread evenly over all classes
    tenet::reduction reduce = tenet::reduction::mean;  ///< the mean is over the rows that are kept
    std::size_t classes = 0;  ///< only the first so many classes exist (0: all); the rest is padding
};

namespace detail {

constexpr std::size_t valid_classes(graph::builder& g, graph::node const& n) {
    return n.integer[2] > 0 ? static_cast<std::size_t>(n.integer[2]) : g.capacity(n.over);
}

// dlogits from operands logits, targets, lse, dloss; its own gradient goes through the elementary formula.
constexpr void cross_entropy_backward_vjp(graph::builder& g, int id, int cotangent) {
    const graph::node n = g.at(id);
    graph::differentiate_decomposition(g, {n.input[0], n.input[3]}, {cotangent}, [&] {
        const graph::value logits(g, n.input[0]), targets(g, n.input[1]), dloss(g, n.input[3]);
        const graph::value zero = graph::constant(g, 0);
        const int axis = n.over[0];
        const double valid = static_cast<double>(valid_classes(g, n));
        const graph::value where_valid =
            graph::elementwise(graph::info_of<op::less_op>, {positions_along(g, axis), graph::constant(g, valid)});
        const graph::value lowest = graph::constant(g, -1e30);
        const graph::value seen = graph::elementwise(graph::info_of<op::where_op>, {where_valid, logits, lowest});
        const graph::value p = emit_rows(graph::kind::softmax, &softmax_vjp, n.axes, n.over, {seen});
        const graph::value hit =
            graph::elementwise(graph::info_of<graph::equal_op>, {targets, positions_along(g, axis)}, &n.axes);
        const graph::value kept = graph::elementwise(graph::info_of<op::not_equal_op>,
                                                     {targets, graph::constant(g, static_cast<double>(n.integer[0]))});
        const double e = n.number[0];
        const graph::value target = (1.0 - e) * hit + where_valid * (e / valid);
        graph::value scale = kept * dloss;
        if (n.integer[1] == static_cast<int>(reduction::mean)) {
            graph::axis_list rows = graph::minus(n.axes, n.over);
            scale = scale / graph::reduce_sum(graph::in_memory(graph::own_copy(kept)), rows);
        }
        static_cast<void>(zero);
        return list<graph::value>{graph::broadcast_to((p - target) * scale, n.axes)};
    });
}

constexpr void cross_entropy_vjp(graph::builder& g, int id, int cotangent) {
    const graph::node n = g.at(id);
    const graph::value dloss = graph::dense(graph::in_memory(graph::value(g, cotangent)));
    graph::node b = n;
    b.op = graph::kind::cross_entropy_backward;
    b.vjp = &cross_entropy_backward_vjp;
    b.axes = g.at(n.input[0]).axes;
    b.add_input(existing_output(g, id, 1).id());
    b.add_input(graph::arrange(dloss, n.axes).id());
    graph::accumulate(g, n.input[0], graph::value(g, g.emit(b)));
}

template <class A>
struct cross_entropy_function {
    cross_entropy_options options{};
    template <dtype T, class L, dtype U, class I>
    constexpr auto operator()(symbol<T, L> logits, symbol<U, I> targets) const {
        using rows = shape::minus<L, axes<A>>;
        if constexpr (T != dtype::real)
            return broken_rule<error::operation_needs_real_operands<cross_entropy_function, T>>{};
        else if constexpr (U != dtype::int32) return broken_rule<error::cross_entropy_targets_are_not_int32<U>>{};
        else if constexpr (!shape::contains<A, L>)
            return broken_rule<error::cross_entropy_axis_not_in_logits<A, A::capacity, L>>{};
        else if constexpr (!shape::same_set<rows, I>)
            return broken_rule<error::cross_entropy_target_axes_differ<rows, I>>{};
        else {
            graph::builder& g = logits.graph();
            const graph::value x = graph::dense(
                graph::arrange(graph::in_memory(logits.value()), axis_ids<shape::concat<I, axes<A>>>::in(g)));
            graph::node n;
            n.op = graph::kind::cross_entropy;
            n.vjp = &cross_entropy_vjp;
            n.over.push(axis_id<A>(g));
            n.number[0] = options.label_smoothing;
            n.integer[0] = options.ignore_index;
            n.integer[1] = static_cast<int>(options.reduce);
            n.integer[2] = static_cast<int>(options.classes < A::capacity ? options.classes : 0);
            n.add_input(x.id());
            n.add_input(graph::dense(targets.value()).id());
            const graph::axis_list row_axes = axis_ids<I>::in(g);
            if (options.reduce == reduction::none) n.axes = row_axes;
            const graph::value loss(g, g.emit(n));
            // Two numbers a row: the maximum and the logarithm of the rest.
            static_cast<void>(output_of(loss, 1, row_axes, true, 2 * g.capacity(row_axes)));
            static_cast<void>(output_of(loss, 2, row_axes, true));
            return loss;
        }
    }
};

template <class A, reduction R>
struct reduced_cross_entropy {
    cross_entropy_options options{};
    template <dtype T, class L, dtype U, class I>
    constexpr auto operator()(symbol<T, L> logits, symbol<U, I> targets) const {
        cross_entropy_options chosen = options;
        if (R == reduction::none) chosen.reduce = reduction::none;
        else if (options.reduce == reduction::none)
            throw "cross_entropy(x, t, options): cross_entropy_rows gives one loss a row";
        auto v = cross_entropy_function<A>{chosen}(logits, targets);
        if constexpr (is_broken_rule<decltype(v)>) return v;
        else return symbol<dtype::real, std::conditional_t<R == reduction::none, I, axes<>>>(v);
    }
};

}  // namespace detail

/// loss = mean over the kept rows of lse(x) - x[target], with label smoothing e of
/// (1-e) (lse - x[target]) + e (lse - mean(x)); lse = ln sum over `A` of e^x. Logits [rows..., A], targets [rows...].
/// dlogits = (softmax(x) - target distribution) / kept rows. Finite for any finite logits. If no row is kept the mean
/// is NaN, as in PyTorch. Run-time error: a target outside of the classes that is not the ignored one.
/// Options are for programs; expressions use the defaults. PyTorch: torch.nn.functional.cross_entropy.
template <class A, Operand X, Operand Targets>
constexpr auto cross_entropy(X&& logits, Targets&& targets) {
    return detail::apply(detail::reduced_cross_entropy<A, reduction::mean>{}, std::forward<X>(logits),
                         std::forward<Targets>(targets));
}
template <class A, Operand X, Operand Targets>
requires(!detail::is_lazy<std::remove_cvref_t<X>>)
constexpr auto cross_entropy(X&& logits, Targets&& targets, cross_entropy_options options) {
    return detail::apply(detail::reduced_cross_entropy<A, reduction::mean>{options}, logits, targets);
}

/// The loss of every row by itself: [rows...]; ignored rows are 0. PyTorch: cross_entropy(reduction="none").
template <class A, Operand X, Operand Targets>
constexpr auto cross_entropy_rows(X&& logits, Targets&& targets) {
    return detail::apply(detail::reduced_cross_entropy<A, reduction::none>{}, std::forward<X>(logits),
                         std::forward<Targets>(targets));
}
template <class A, Operand X, Operand Targets>
requires(!detail::is_lazy<std::remove_cvref_t<X>>)
constexpr auto cross_entropy_rows(X&& logits, Targets&& targets, cross_entropy_options options) {
    return detail::apply(detail::reduced_cross_entropy<A, reduction::none>{options}, logits, targets);
}

}  // namespace tenet
