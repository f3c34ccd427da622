// SPDX-License-Identifier: MIT
// op: concatenation along axes that become one.
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>

#include <tenet/graph/rearrange.hpp>
#include <tenet/op/apply.hpp>
#include <tenet/shape/rearrange.hpp>

namespace tenet {
namespace detail {

template <class New, class... A>
struct concat_function {
    template <class... S>
    constexpr auto operator()(S... x) const {
        static_assert(sizeof...(A) == sizeof...(S), "concat<New, A...>(x...): one axis an operand");
        static_assert(sizeof...(S) <= static_cast<std::size_t>(graph::max_inputs),
                      "concat<New, A...>(x...): at most 8 operands");
        return check<typename S::axes_type...>(x...);
    }

private:
    template <class First, class... Rest, class... S>
    static constexpr auto check(S... x) {
        using first_axis = std::tuple_element_t<0, std::tuple<A...>>;
        using missing = first_without<axes<A...>, First, Rest...>;
        if constexpr (!std::is_void_v<typename missing::axis>) {
            return broken_rule<error::concat_axis_not_in_operand<
                typename missing::axis, extent_of<typename missing::axis>(), typename missing::list>>{};
        } else if constexpr (!(A::is_static && ...) || !New::is_static) {
            return broken_rule<error::axis_extent_not_static<New, New::capacity>>{};
        } else if constexpr (New::capacity != (A::capacity + ...)) {
            return broken_rule<error::concat_extent_differs<New, New::capacity, (A::capacity + ...)>>{};
        } else {
            using result = shape::replace<First, first_axis, axes<New>>;
            using odd = first_other<result, axes<A...>, First, Rest...>;
            if constexpr (!std::is_void_v<odd>) return broken_rule<error::concat_other_axes_differ<First, odd>>{};
            else return emit<result>(x...);
        }
    }
    template <class Axis, class List>
    struct found {
        using axis = Axis;
        using list = List;
    };
    template <class K, class... L>
    struct find_without {
        using type = found<void, void>;
    };
    template <class K, class... Ks, class L, class... Ls>
    struct find_without<axes<K, Ks...>, L, Ls...>
        : std::conditional_t<shape::contains<K, L>, find_without<axes<Ks...>, Ls...>, std::type_identity<found<K, L>>> {
    };
    template <class K, class... L>
    using first_without = typename find_without<K, L...>::type;

    // The first operand whose axes, with its own joined axis replaced, are not those of the result.
    template <class Result, class K, class... L>
    struct find_other {
        using type = void;
    };
    template <class Result, class K, class... Ks, class L, class... Ls>
    struct find_other<Result, axes<K, Ks...>, L, Ls...>
        : std::conditional_t<shape::same_set<shape::replace<L, K, axes<New>>, Result>,
                             find_other<Result, axes<Ks...>, Ls...>, std::type_identity<L>> {};
    template <class Result, class K, class... L>
    using first_other = typename find_other<Result, K, L...>::type;

    template <class Result, class... S>
    static constexpr auto emit(S... x) {
        graph::builder& g = *graph_of(x...);
        constexpr dtype type = std::tuple_element_t<0, std::tuple<S...>>::type;
        return symbol<type, Result>(
            graph::concat(g, {graph::arrange(x.value(), axis_ids<shape::replace<Result, New, axes<A>>>::in(g))...},
                          axis_ids<Result>::in(g), axis_id<New>(g)));
    }
};

}  // namespace detail

/// The operands one after the other along their axes `A...` (one an operand), which become `New`, whose extent is the
/// sum, checked at compile time. The other axes must be the same, in any order. PyTorch: torch.cat.
template <class New, class... A, Operand... X>
constexpr auto concat(X&&... x) {
    return detail::apply(detail::concat_function<New, A...>{}, std::forward<X>(x)...);
}

}  // namespace tenet
