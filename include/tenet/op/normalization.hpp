// SPDX-License-Identifier: MIT
// op: what the normalisations over axes share.
#pragma once

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

}  // namespace tenet::detail
