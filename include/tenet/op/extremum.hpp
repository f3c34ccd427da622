// SPDX-License-Identifier: MIT
// op: absolute value, sign, minimum, maximum, clamp.
#pragma once

#include <tenet/op/elementwise.hpp>

namespace tenet {
namespace op {

struct sign_op {
    static constexpr std::string_view name = "sign";
    static constexpr double flops = 2;
    static constexpr bool zero_gradient = true;
    template <class B>
    static B forward(B x) {
        return simd::select(x > B(0), B(1), simd::select(x < B(0), B(-1), x));
    }
};
struct abs_op {
    static constexpr std::string_view name = "abs";
    static constexpr double flops = 1;
    template <class B>
    static B forward(B x) {
        return simd::abs(x);
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return dy * graph::elementwise(graph::info_of<sign_op>, {x});
    }
};
// The share of the cotangent that the first of two operands gets: all, none, or half where both are equal.
struct greater_share_op {
    static constexpr std::string_view name = "greater_share";
    static constexpr bool zero_gradient = true;
    template <class B>
    static B forward(B x, B y) {
        return simd::select(x > y, B(1), simd::select(x == y, B(0.5), B(0)));
    }
};
struct maximum_op {
    static constexpr std::string_view name = "maximum";
    template <class B>
    static B forward(B x, B y) {
        return simd::max(x, y);
    }
    static constexpr std::array<graph::value, 2> pullback(graph::value dz, graph::value, graph::value x,
                                                          graph::value y) {
        const graph::value share = graph::elementwise(graph::info_of<greater_share_op>, {x, y});
        return {dz * share, dz * (1.0 - share)};
    }
};
struct minimum_op {
    static constexpr std::string_view name = "minimum";
    template <class B>
    static B forward(B x, B y) {
        return simd::min(x, y);
    }
    static constexpr std::array<graph::value, 2> pullback(graph::value dz, graph::value, graph::value x,
                                                          graph::value y) {
        const graph::value share = graph::elementwise(graph::info_of<greater_share_op>, {y, x});
        return {dz * share, dz * (1.0 - share)};
    }
};
// 1 within the bounds (and on them), else 0.
struct within_op {
    static constexpr std::string_view name = "within";
    static constexpr bool zero_gradient = true;
    template <class B>
    static B forward(B x, B low, B high) {
        return simd::select(x < low, B(0), simd::select(x > high, B(0), B(1)));
    }
};
struct clamp_op {
    static constexpr std::string_view name = "clamp";
    static constexpr double flops = 2;
    template <class B>
    static B forward(B x, B low, B high) {
        return simd::min(simd::max(x, low), high);
    }
    static constexpr std::array<graph::value, 3> pullback(graph::value dy, graph::value, graph::value x,
                                                          graph::value low, graph::value high) {
        const graph::value inside = graph::elementwise(graph::info_of<within_op>, {x, low, high});
        const graph::value above = graph::elementwise(graph::info_of<greater_share_op>, {x, high});
        return {dy * inside, dy * (1.0 - inside) * (1.0 - above), dy * (1.0 - inside) * above};
    }
};

}  // namespace op

/// y = -1, 0 or 1. The gradient is 0. PyTorch: torch.sign.
template <Operand X>
constexpr auto sign(X&& x) {
    return elementwise<op::sign_op>(std::forward<X>(x));
}

/// y = |x|. dx = dy sign(x), 0 at 0. PyTorch: torch.abs.
template <Operand X>
constexpr auto abs(X&& x) {
    return elementwise<op::abs_op>(std::forward<X>(x));
}

/// z = max(x, y), element by element; NaN if either is. Where both are equal each gets half of the gradient, as in
/// PyTorch. PyTorch: torch.maximum.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto maximum(X&& x, Y&& y) {
    return elementwise<op::maximum_op>(std::forward<X>(x), std::forward<Y>(y));
}

/// z = min(x, y), element by element; NaN if either is. PyTorch: torch.minimum.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto minimum(X&& x, Y&& y) {
    return elementwise<op::minimum_op>(std::forward<X>(x), std::forward<Y>(y));
}

/// y = min(max(x, low), high). dx = dy where low <= x <= high, else 0. PyTorch: torch.clamp.
template <Operand X, class Low, class High>
requires(Operand<Low> || detail::Number<Low>) && (Operand<High> || detail::Number<High>)
constexpr auto clamp(X&& x, Low&& low, High&& high) {
    return elementwise<op::clamp_op>(std::forward<X>(x), std::forward<Low>(low), std::forward<High>(high));
}

}  // namespace tenet
