// SPDX-License-Identifier: MIT
// op: rotary position embedding by a tensor of positions. Its gradient is the rotation by the negative angle: the same
// node, so that gradients of any order exist.
#pragma once

#include <tenet/kernel/rotary.hpp>
#include <tenet/op/results.hpp>

namespace tenet {

using kernel::rotary_pairs;

namespace error {
/// rotary<HeadDim>(x, positions): x has no axis HeadDim.
template <class A, std::size_t Extent, class OperandAxes>
struct rotary_axis_not_in_operand;
/// rotary<HeadDim>(x, positions): HeadDim cannot be divided into pairs.
template <class A, std::size_t Extent>
struct rotary_axis_is_odd;
/// rotary<HeadDim>(x, positions): the positions are not int32, or have HeadDim or an axis that x lacks.
template <dtype Found, class PositionAxes, class OperandAxes>
struct rotary_positions_do_not_fit;
}  // namespace error

namespace detail {

constexpr void rotary_vjp(graph::builder& g, int id, int cotangent) {
    graph::node n = g.at(id);
    const graph::value dy = graph::dense(graph::arrange(graph::in_memory(graph::value(g, cotangent)), n.axes));
    const int x = n.input[0];
    n.input[0] = dy.id();
    n.integer[1] = 1 - n.integer[1];
    graph::accumulate(g, x, graph::value(g, g.emit(n)));
}

template <class HeadDim, rotary_pairs Pairs>
struct rotary_function {
    double base = 10000;

    template <dtype T, class L, dtype U, class I>
    constexpr auto operator()(symbol<T, L> x, symbol<U, I> positions) const {
        if constexpr (T != dtype::real) return broken_rule<error::operation_needs_real_operands<rotary_function, T>>{};
        else if constexpr (!shape::contains<HeadDim, L>)
            return broken_rule<error::rotary_axis_not_in_operand<HeadDim, HeadDim::capacity, L>>{};
        else if constexpr (!HeadDim::is_static || HeadDim::capacity % 2 != 0)
            return broken_rule<error::rotary_axis_is_odd<HeadDim, HeadDim::capacity>>{};
        else if constexpr (U != dtype::int32 || !shape::contains_all<I, shape::minus<L, axes<HeadDim>>>)
            return broken_rule<error::rotary_positions_do_not_fit<U, I, L>>{};
        else {
            graph::builder& g = x.graph();
            // The axes of the positions first: all rows of a position share sines and cosines.
            using order = shape::concat<I, shape::minus<shape::minus<L, I>, axes<HeadDim>>, axes<HeadDim>>;
            graph::node n;
            n.op = graph::kind::rotary;
            n.vjp = &rotary_vjp;
            n.axes = axis_ids<order>::in(g);
            n.over.push(axis_id<HeadDim>(g));
            n.physical = axis_ids<I>::in(g);
            n.integer[0] = static_cast<int>(Pairs);
            n.number[0] = base;
            n.add_input(graph::dense(graph::arrange(graph::in_memory(x.value()), n.axes)).id());
            n.add_input(graph::dense(positions.value()).id());
            return typed<dtype::real, L>(graph::value(g, g.emit(n)));
        }
    }
};

}  // namespace detail

/// Rotary position embedding along `HeadDim`, of even extent D: pair i of x[..., :] is rotated by the angle
/// positions[...] base^(-2i / D). `positions` is int32 and has some of x's axes, e.g. [Batch, Time] for x [Batch, Time,
/// Heads, HeadDim]. Pairs are halves (i, i + D / 2), as in Hugging Face's Llama, or neighbours (2i, 2i + 1), as in the
/// paper and llama2.c: the weights of a checkpoint belong to one of the two. `base` is for programs; expressions use
/// 10000. Cost: a sine and a cosine a pair and position, then four multiplications a pair.
/// Su et al.: RoFormer (2021), eq. (34). transformers: apply_rotary_pos_emb.
template <class HeadDim, rotary_pairs Pairs = rotary_pairs::halves, Operand X, Operand P>
constexpr auto rotary(X&& x, P&& positions) {
    return detail::apply(detail::rotary_function<HeadDim, Pairs>{}, std::forward<X>(x), std::forward<P>(positions));
}
template <class HeadDim, rotary_pairs Pairs = rotary_pairs::halves, Operand X, Operand P>
requires(!detail::is_lazy<std::remove_cvref_t<X>>)
constexpr auto rotary(X&& x, P&& positions, double base) {
    return detail::apply(detail::rotary_function<HeadDim, Pairs>{base}, x, positions);
}

}  // namespace tenet
