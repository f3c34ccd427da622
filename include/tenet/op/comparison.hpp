// SPDX-License-Identifier: MIT
// op: comparisons, masks and the choice between two values.
#pragma once

#include <tenet/op/elementwise.hpp>

namespace tenet {
namespace op {

struct less_op {
    static constexpr std::string_view name = "less";
    static constexpr bool zero_gradient = true, yields_boolean = true;
    template <class B>
    static B forward(B x, B y) {
        return simd::select(x < y, B(1), B(0));
    }
};
struct less_equal_op {
    static constexpr std::string_view name = "less_equal";
    static constexpr bool zero_gradient = true, yields_boolean = true;
    template <class B>
    static B forward(B x, B y) {
        return simd::select(x <= y, B(1), B(0));
    }
};
struct greater_op {
    static constexpr std::string_view name = "greater";
    static constexpr bool zero_gradient = true, yields_boolean = true;
    template <class B>
    static B forward(B x, B y) {
        return simd::select(x > y, B(1), B(0));
    }
};
struct greater_equal_op {
    static constexpr std::string_view name = "greater_equal";
    static constexpr bool zero_gradient = true, yields_boolean = true;
    template <class B>
    static B forward(B x, B y) {
        return simd::select(x >= y, B(1), B(0));
    }
};
struct not_equal_op {
    static constexpr std::string_view name = "not_equal";
    static constexpr bool zero_gradient = true, yields_boolean = true;
    template <class B>
    static B forward(B x, B y) {
        return simd::select(x == y, B(0), B(1));
    }
};
struct logical_and_op {
    static constexpr std::string_view name = "logical_and";
    static constexpr bool zero_gradient = true, yields_boolean = true;
    template <class B>
    static B forward(B x, B y) {
        return simd::select(x == B(0), B(0), simd::select(y == B(0), B(0), B(1)));
    }
};
struct logical_or_op {
    static constexpr std::string_view name = "logical_or";
    static constexpr bool zero_gradient = true, yields_boolean = true;
    template <class B>
    static B forward(B x, B y) {
        return simd::select(x == B(0), simd::select(y == B(0), B(0), B(1)), B(1));
    }
};
struct logical_not_op {
    static constexpr std::string_view name = "logical_not";
    static constexpr bool zero_gradient = true, yields_boolean = true;
    template <class B>
    static B forward(B x) {
        return simd::select(x == B(0), B(1), B(0));
    }
};
struct where_op {
    static constexpr std::string_view name = "where";
    template <class B>
    static B forward(B mask, B x, B y) {
        return simd::select(mask == B(0), y, x);
    }
    static constexpr std::array<graph::value, 3> pullback(graph::value dz, graph::value, graph::value mask,
                                                          graph::value, graph::value);
};
constexpr std::array<graph::value, 3> where_op::pullback(graph::value dz, graph::value, graph::value mask, graph::value,
                                                         graph::value) {
    const graph::value zero = graph::constant(dz.graph(), 0);
    return {zero, graph::elementwise(graph::info_of<where_op>, {mask, dz, zero}),
            graph::elementwise(graph::info_of<where_op>, {mask, zero, dz})};
}

}  // namespace op

/// The mask x < y, element by element; no gradient passes. PyTorch: torch.lt.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto less(X&& x, Y&& y) {
    return elementwise<op::less_op>(std::forward<X>(x), std::forward<Y>(y));
}

/// The mask x <= y, element by element; no gradient passes. PyTorch: torch.le.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto less_equal(X&& x, Y&& y) {
    return elementwise<op::less_equal_op>(std::forward<X>(x), std::forward<Y>(y));
}

/// The mask x > y, element by element; no gradient passes. PyTorch: torch.gt.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto greater(X&& x, Y&& y) {
    return elementwise<op::greater_op>(std::forward<X>(x), std::forward<Y>(y));
}

/// The mask x >= y, element by element; no gradient passes. PyTorch: torch.ge.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto greater_equal(X&& x, Y&& y) {
    return elementwise<op::greater_equal_op>(std::forward<X>(x), std::forward<Y>(y));
}

/// The mask x != y, element by element; no gradient passes. PyTorch: torch.ne.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto not_equal(X&& x, Y&& y) {
    return elementwise<op::not_equal_op>(std::forward<X>(x), std::forward<Y>(y));
}

/// The mask both hold, element by element; no gradient passes. PyTorch: torch.logical_and.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto logical_and(X&& x, Y&& y) {
    return elementwise<op::logical_and_op>(std::forward<X>(x), std::forward<Y>(y));
}

/// The mask either holds, element by element; no gradient passes. PyTorch: torch.logical_or.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto logical_or(X&& x, Y&& y) {
    return elementwise<op::logical_or_op>(std::forward<X>(x), std::forward<Y>(y));
}

/// The mask x == y. PyTorch: torch.eq.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto equal(X&& x, Y&& y) {
    return elementwise<graph::equal_op>(std::forward<X>(x), std::forward<Y>(y));
}

/// The mask that holds where `x` does not. PyTorch: torch.logical_not.
template <Operand X>
constexpr auto logical_not(X&& x) {
    return elementwise<op::logical_not_op>(std::forward<X>(x));
}

namespace detail {
struct where_function {
    template <dtype T, class L, dtype U, class R, dtype V, class S>
    constexpr auto operator()(symbol<T, L> mask, symbol<U, R> x, symbol<V, S> y) const {
        if constexpr (T != dtype::boolean) return broken_rule<error::where_needs_a_mask<T>>{};
        else return elementwise_function<op::where_op>{}(mask, x, y);
    }
};
}  // namespace detail

/// z = x where the mask holds, else y; broadcast by name. dx = dz where it holds, dy = dz where not.
/// A value that is not chosen never spoils the result or the gradient, be it NaN or infinite. PyTorch: torch.where.
template <Operand Mask, class X, class Y>
requires(Operand<X> || detail::Number<X>) && (Operand<Y> || detail::Number<Y>)
constexpr auto where(Mask&& mask, X&& x, Y&& y) {
    return detail::apply(detail::where_function{}, std::forward<Mask>(mask), std::forward<X>(x), std::forward<Y>(y));
}

}  // namespace tenet
