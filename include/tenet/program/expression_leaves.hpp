// SPDX-License-Identifier: MIT
// program: the operands of an expression in order, its element type, and which of its parts are one and the same.
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include <tenet/op/apply.hpp>

namespace tenet {
namespace error {
/// An expression mixes float and double tensors: convert one with `convert<double>(x)`.
template <class First, class Second>
struct expression_mixes_element_types;
}  // namespace error

namespace detail {

template <class X>
struct leaf_types {
    using type = std::tuple<X>;
};
template <class F, class... X>
struct leaf_types<expression<F, X...>> {
    using type = decltype(std::tuple_cat(std::declval<typename leaf_types<X>::type>()...));
};
template <class E>
using leaves_of = typename leaf_types<E>::type;

template <class X>
auto leaf_pointers(X const& x) {
    return std::tuple<X const*>(&x);
}
template <class F, class... X>
auto leaf_pointers(expression<F, X...> const& e) {
    return std::apply([](auto const&... x) { return std::tuple_cat(leaf_pointers(x)...); }, e.operands());
}

template <class X>
struct real_of {
    using type = void;
};
template <class T, class... A>
struct real_of<leaf<tensor<T, A...>>> {
    using type = std::conditional_t<std::is_floating_point_v<T>, T, void>;
};

template <class First, class Second>
constexpr auto common_real() {
    if constexpr (std::is_void_v<First>) return std::type_identity<Second>{};
    else if constexpr (std::is_void_v<Second> || std::is_same_v<First, Second>) return std::type_identity<First>{};
    else {
        static_cast<void>(sizeof(error::expression_mixes_element_types<First, Second>));
        return std::type_identity<poison>{};
    }
}
template <class... R>
struct common_real_of {
    using type = double;  // integers only: comparisons are exact in double
};
template <class R>
struct common_real_of<R> {
    using type = std::conditional_t<std::is_void_v<R>, double, R>;
};
template <class R, class S, class... Rest>
struct common_real_of<R, S, Rest...> : common_real_of<typename decltype(common_real<R, S>())::type, Rest...> {};

template <class Leaves>
struct real_of_leaves;
template <class... X>
struct real_of_leaves<std::tuple<X...>> : common_real_of<typename real_of<X>::type...> {};
template <class E>
using expression_real = typename real_of_leaves<leaves_of<E>>::type;

// `auto e = exp(x); e * e` holds e twice. Where a composite subexpression's type occurs again, its leaves are taken to
// be those of the first occurrence; whether they are is checked by address before that plan is used.

template <class E>
inline constexpr char type_tag = 0;

struct sharing {
    static constexpr std::size_t most = 64;
    std::size_t leaves = 0, composites = 0;
    std::size_t representative[most] = {};
    char const* tag[most] = {};
    std::size_t first[most] = {};
    bool any = false;
};

template <class X>
constexpr void find_shared(sharing& s, std::type_identity<X>) {
    if (s.leaves == sharing::most) throw "an expression has at most 64 operands";
    s.representative[s.leaves] = s.leaves;
    ++s.leaves;
}
template <class F, class... X>
constexpr void find_shared(sharing& s, std::type_identity<expression<F, X...>>) {
    const std::size_t first = s.leaves;
    (find_shared(s, std::type_identity<X>{}), ...);
    char const* const tag = &type_tag<expression<F, X...>>;
    for (std::size_t c = 0; c < s.composites; ++c) {
        if (s.tag[c] != tag) continue;
        for (std::size_t j = first; j < s.leaves; ++j) s.representative[j] = s.representative[s.first[c] + (j - first)];
        s.any = true;
        return;
    }
    s.tag[s.composites] = tag;
    s.first[s.composites++] = first;
}
template <class E>
inline constexpr sharing sharing_of = [] {
    sharing s;
    find_shared(s, std::type_identity<E>{});
    return s;
}();

}  // namespace detail
}  // namespace tenet
