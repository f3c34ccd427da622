// SPDX-License-Identifier: MIT
// op: a user's own primitive: a kernel over whole tensors, with its shape rule and, if it has one, its gradient. It is
// a node like any other: planned, freed, looped over, differentiated. (Element-wise operations: op/elementwise.hpp.)
//
//     struct cumulative_sum_op {                        // y[t] = x[0] + ... + x[t] along the last axis
//         static constexpr std::string_view name = "cumulative_sum";
//         template <class X> using result = X;                       // axes of the operands to axes of the result
//         template <class Y, class X> static void forward(Y y, X x); // tensor_view<T, ...>, tensor_view<T const, ...>
//         static constexpr auto pullback(auto dy, auto y, auto x);   // symbols: the cotangent, or a tuple of them
//     };
//     auto y = custom<cumulative_sum_op>(x);
#pragma once

#include <array>
#include <tuple>

#include <tenet/graph/differentiate.hpp>
#include <tenet/graph/rearrange.hpp>
#include <tenet/op/apply.hpp>
#include <tenet/tensor/view.hpp>

namespace tenet {
namespace detail {

template <class T, class L>
struct view_of_axes;
template <class T, class... A>
struct view_of_axes<T, axes<A...>> {
    static tensor_view<T, A...> at(T* data, std::size_t const* extents, graph::axis_list const& list) {
        std::array<std::size_t, sizeof...(A)> own{};
        for (std::size_t i = 0; i < own.size(); ++i) own[i] = extents[list[static_cast<int>(i)]];
        return {data, own};
    }
};

template <class Op, class T, class Result, class... Operand>
void run_custom_forward(graph::custom_arguments const& a, graph::axis_list const* operand_axes,
                        graph::axis_list const& result_axes) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        Op::forward(
            view_of_axes<T, Result>::at(static_cast<T*>(a.result), a.extents, result_axes),
            view_of_axes<T const, Operand>::at(static_cast<T const*>(a.operands[I]), a.extents, operand_axes[I])...);
    }(std::index_sequence_for<Operand...>{});
}

template <class X>
constexpr auto as_tuple(X const& x) {
    return std::tuple<X>{x};
}
template <class... X>
constexpr std::tuple<X...> as_tuple(std::tuple<X...> const& x) {
    return x;
}

template <class Op, class Result, class... Operand>
constexpr void run_custom_pullback(graph::builder& g, int id, int cotangent) {
    const graph::node n = g.at(id);
    const symbol<dtype::real, Result> y(graph::value(g, id));
    const auto dy = typed<dtype::real, Result>(graph::value(g, cotangent));
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        const auto all = as_tuple(Op::pullback(dy, y, symbol<dtype::real, Operand>(graph::value(g, n.input[I]))...));
        static_assert(std::tuple_size_v<std::remove_const_t<decltype(all)>> == sizeof...(Operand),
                      "pullback(dy, y, x...): one cotangent an operand; several as a std::tuple");
        (graph::accumulate(g, n.input[I], std::get<I>(all).value()), ...);
    }(std::index_sequence_for<Operand...>{});
}

template <class Op, class Result, class... Operand>
constexpr graph::custom_info make_custom_info() {
    graph::custom_info info{};
    info.name = Op::name;
    info.f32 = &run_custom_forward<Op, float, Result, Operand...>;
    info.f64 = &run_custom_forward<Op, double, Result, Operand...>;
    info.vjp = nullptr;
    using S = symbol<dtype::real, Result>;
    if constexpr (requires(S y, symbol<dtype::real, Operand>... x) { Op::pullback(y, y, x...); })
        info.vjp = &run_custom_pullback<Op, Result, Operand...>;
    return info;
}
template <class Op, class Result, class... Operand>
inline constexpr graph::custom_info custom_info_of = make_custom_info<Op, Result, Operand...>();

template <class Op>
struct custom_function {
    template <dtype... T, class... L>
    constexpr auto operator()(symbol<T, L>... x) const {
        static_assert(((T == dtype::real) && ...), "custom<Op>(x...): the operands must be real; see cast");
        static_assert(sizeof...(L) <= static_cast<std::size_t>(graph::max_inputs),
                      "custom<Op>(x...): at most 8 operands");
        using result = typename Op::template result<L...>;
        graph::builder& g = *graph_of(x...);
        graph::node n;
        n.op = graph::kind::custom;
        n.primitive = &custom_info_of<Op, result, L...>;
        n.vjp = n.primitive->vjp;
        n.axes = axis_ids<result>::in(g);
        (n.add_input(graph::dense(graph::in_memory(x.value())).id()), ...);
        return symbol<dtype::real, result>(graph::value(g, g.emit(n)));
    }
};

}  // namespace detail

/// Applies the user's primitive `Op` (see the head of this file) to one to eight real operands.
template <class Op, Operand... X>
constexpr auto custom(X&&... x) {
    return detail::apply(detail::custom_function<Op>{}, std::forward<X>(x)...);
}

}  // namespace tenet
