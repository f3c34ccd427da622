// SPDX-License-Identifier: MIT
// op: sine, cosine, hyperbolic tangent.
#pragma once

#include <tenet/op/elementwise.hpp>

namespace tenet {
namespace op {

namespace detail {
constexpr graph::value sin_of(graph::value x);
constexpr graph::value cos_of(graph::value x);
}  // namespace detail
struct sin_op {
    static constexpr std::string_view name = "sin";
    static constexpr double flops = 20;
    template <class B>
    static B forward(B x) {
        return simd::sin(x);
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return dy * detail::cos_of(x);
    }
};
struct cos_op {
    static constexpr std::string_view name = "cos";
    static constexpr double flops = 20;
    template <class B>
    static B forward(B x) {
        return simd::cos(x);
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return -(dy * detail::sin_of(x));
    }
};
struct tanh_op {
    static constexpr std::string_view name = "tanh";
    static constexpr double flops = 20;
    template <class B>
    static B forward(B x) {
        return simd::tanh(x);
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return dy * (1.0 - y * y);
    }
};

namespace detail {
constexpr graph::value sin_of(graph::value x) {
    return graph::elementwise(graph::info_of<sin_op>, {x});
}
constexpr graph::value cos_of(graph::value x) {
    return graph::elementwise(graph::info_of<cos_op>, {x});
}
}  // namespace detail

}  // namespace op

/// y = sin x (radians). dx = dy cos x. PyTorch: torch.sin.
template <Operand X>
constexpr auto sin(X&& x) {
    return elementwise<op::sin_op>(std::forward<X>(x));
}

/// y = cos x (radians). dx = -dy sin x. PyTorch: torch.cos.
template <Operand X>
constexpr auto cos(X&& x) {
    return elementwise<op::cos_op>(std::forward<X>(x));
}

/// y = tanh x. dx = dy (1 - y^2). PyTorch: torch.tanh.
template <Operand X>
constexpr auto tanh(X&& x) {
    return elementwise<op::tanh_op>(std::forward<X>(x));
}

}  // namespace tenet
