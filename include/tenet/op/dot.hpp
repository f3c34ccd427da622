// SPDX-License-Identifier: MIT
// op: contraction by name. No transpose is ever written: which axes meet is said, not where they stand.
#pragma once

#include <array>

#include <tenet/graph/contract.hpp>
#include <tenet/op/adapter.hpp>
#include <tenet/op/elementwise.hpp>
#include <tenet/shape/contraction.hpp>

namespace tenet {
namespace error {
/// dot or einsum of integer tensors: `cast<dtype::real>(x)` makes real ones.
template <dtype... Found>
struct dot_needs_real_operands;
}  // namespace error

namespace detail {

template <class... K>
struct dot_function {
    template <dtype T, class L, dtype U, class R>
    constexpr auto operator()(symbol<T, L> x, symbol<U, R> y) const {
        using left = shape::first_missing<axes<K...>, L>;
        using right = shape::first_missing<axes<K...>, R>;
        using repeated = shape::first_repeated<axes<K...>>;
        if constexpr (!is_number_like(T) || !is_number_like(U)) {
            return broken_rule<error::dot_needs_real_operands<T, U>>{};
        } else if constexpr (!std::is_void_v<left>) {
            return broken_rule<error::dot_axis_missing_on_left<left, extent_of<left>(), L>>{};
        } else if constexpr (!std::is_void_v<right>) {
            return broken_rule<error::dot_axis_missing_on_right<right, extent_of<right>(), R>>{};
        } else if constexpr (!std::is_void_v<repeated>) {
            return broken_rule<error::dot_axis_repeated<repeated, extent_of<repeated>()>>{};
        } else if constexpr (!Broadcastable<L, R>) {
            using pair = shape::first_conflict<L, R>;
            return broken_rule<
                error::broadcast_extents_differ<dot_function, typename pair::first_type, pair::first_type::capacity,
                                                typename pair::second_type, pair::second_type::capacity>>{};
        } else {
            using result = shape::contraction<L, R, axes<K...>>;
            return symbol<dtype::real, result>(graph::contract(x.value(), y.value(), axis_ids<result>::in(x.graph())));
        }
    }
};

template <class A, class... L>
inline constexpr bool in_some = (shape::contains<A, L> || ...);

template <class Result>
struct einsum_function;
template <class... A>
struct einsum_function<axes<A...>> {
    template <dtype... T, class... L>
    constexpr auto operator()(symbol<T, L>... x) const {
        using missing = shape::first_missing<axes<A...>, shape::concat<L...>>;
        if constexpr (!(is_number_like(T) && ...)) {
            return broken_rule<error::dot_needs_real_operands<T...>>{};
        } else if constexpr (!std::is_void_v<missing>) {
            return broken_rule<error::einsum_axis_in_no_operand<missing, extent_of<missing>()>>{};
        } else {
            graph::builder& g = *graph_of(x...);
            return symbol<dtype::real, axes<A...>>(contract_all(g, {x.value()...}, axis_ids<axes<A...>>::in(g)));
        }
    }

private:
    static constexpr int most = 16;

    // Contracts the pair with the smallest product first, until one operand is left.
    static constexpr graph::value contract_all(graph::builder& g, std::initializer_list<graph::value> operands,
                                               graph::axis_list const& result) {
        static_assert(most >= 2);
        std::array<graph::value, most> x{};
        int n = 0;
        for (graph::value v : operands) x[static_cast<std::size_t>(n++)] = v;
        const auto pair_axes = [&](int i, int j) {
            const graph::axis_list all =
                graph::broadcast_axes(x[static_cast<std::size_t>(i)].axes(), x[static_cast<std::size_t>(j)].axes());
            graph::axis_list kept;
            for (int a = 0; a < all.rank; ++a) {
                bool needed = result.contains(all[a]);
                for (int o = 0; o < n; ++o)
                    needed = needed || (o != i && o != j && x[static_cast<std::size_t>(o)].axes().contains(all[a]));
                if (needed) kept.push(all[a]);
            }
            return kept;
        };
        while (n > 1) {
            int best_i = 0, best_j = 1;
            std::size_t best = ~std::size_t{0};
            for (int i = 0; i < n; ++i)
                for (int j = i + 1; j < n; ++j)
                    if (const std::size_t size = g.capacity(pair_axes(i, j)); size < best)
                        best = size, best_i = i, best_j = j;
            const graph::axis_list kept = n == 2 ? result : pair_axes(best_i, best_j);
            x[static_cast<std::size_t>(best_i)] =
                graph::contract(x[static_cast<std::size_t>(best_i)], x[static_cast<std::size_t>(best_j)], kept);
            for (int k = best_j; k + 1 < n; ++k) x[static_cast<std::size_t>(k)] = x[static_cast<std::size_t>(k) + 1];
            --n;
        }
        return graph::sum_to(graph::in_memory(x[0]), result);
    }
};

struct matmul_function {
    template <dtype T, std::size_t M, std::size_t K, dtype U, std::size_t J, std::size_t N>
    constexpr auto operator()(symbol<T, axes<dim<1, M>, dim<0, K>>> x, symbol<U, axes<dim<1, J>, dim<0, N>>> y) const {
        if constexpr (K != J) {
            return broken_rule<
                error::matmul_inner_extents_differ<K, J, axes<dim<1, M>, dim<0, K>>, axes<dim<1, J>, dim<0, N>>>>{};
        } else {
            graph::builder& g = x.graph();
            using inner = dim<64, K>;  // stands for the axis that both lose
            const graph::value a = graph::rename(x.value(), axis_id<dim<0, K>>(g), axis_id<inner>(g));
            const graph::value b = graph::rename(y.value(), axis_id<dim<1, J>>(g), axis_id<inner>(g));
            return symbol<dtype::real, axes<dim<1, M>, dim<0, N>>>(
                graph::contract(a, b, axis_ids<axes<dim<1, M>, dim<0, N>>>::in(g)));
        }
    }
};

}  // namespace detail

/// z = sum over the axes `K...` of x y. Axes of both operands that are not in K are batch axes; the result has the
/// axes of x without K, then those that only y has.
///
///     dot<Embed>(x, wte)    // [Batch, Time, Embed] . [Vocab, Embed] -> [Batch, Time, Vocab]
///
/// dx = dot over y's other axes of (dz, y), dy likewise: gradients of any order are matrix products.
/// Cost: 2 M N K floating-point operations for a product of M x K by K x N. PyTorch: torch.einsum, torch.matmul.
template <class... K, class X, class Y>
requires(Operand<X> && Operand<Y>)
constexpr auto dot(X&& x, Y&& y) {
    static_assert(sizeof...(K) > 0, "dot<K...>(x, y): name the axes that are summed over");
    auto plain = detail::apply(detail::dot_function<K...>{}, std::forward<X>(x), std::forward<Y>(y));
    // A parameter may be adapted where it is contracted: LoRA and its kin, chosen by the parameter's path.
    if constexpr (detail::is_parameter<std::remove_cvref_t<Y>> && detail::is_symbol<decltype(plain)>)
        return detail::adapt(plain, x, y, axes<K...>{});
    else if constexpr (detail::is_parameter<std::remove_cvref_t<X>> && detail::is_symbol<decltype(plain)>)
        return detail::adapt(plain, y, x, axes<K...>{});
    else return plain;
}

/// The product of several operands summed over every axis that is not in `Result`, an `axes<...>`:
///
///     einsum<axes<Batch, Time>>(q, w, k)
///
/// The pair with the smallest product is contracted first. PyTorch: torch.einsum.
template <class Result, class... X>
requires(Operand<X> && ...)
constexpr auto einsum(X&&... x) {
    static_assert(sizeof...(X) >= 1 && sizeof...(X) <= 16, "einsum<axes<...>>(x...): 1 to 16 operands");
    return detail::apply(detail::einsum_function<Result>{}, std::forward<X>(x)...);
}

/// The matrix product of positional tensors: ndarray<T, M, K> times ndarray<T, K, N>. PyTorch: torch.matmul.
template <Operand X, Operand Y>
constexpr auto matmul(X&& x, Y&& y) {
    return detail::apply(detail::matmul_function{}, std::forward<X>(x), std::forward<Y>(y));
}

}  // namespace tenet
