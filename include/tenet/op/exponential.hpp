// SPDX-License-Identifier: MIT
// op: exponentials, logarithms, roots and powers.
#pragma once

#include <tenet/op/comparison.hpp>

namespace tenet {
namespace op {

struct exp_op {
    static constexpr std::string_view name = "exp";
    static constexpr double flops = 10;
    template <class B>
    static B forward(B x) {
        return simd::exp(x);
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return dy * y;
    }
};
struct expm1_op {
    static constexpr std::string_view name = "expm1";
    static constexpr double flops = 10;
    template <class B>
    static B forward(B x) {
        return simd::expm1(x);
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return dy * (y + 1.0);
    }
};
struct log_op {
    static constexpr std::string_view name = "log";
    static constexpr double flops = 10;
    template <class B>
    static B forward(B x) {
        return simd::log(x);
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return dy / x;
    }
};
struct log1p_op {
    static constexpr std::string_view name = "log1p";
    static constexpr double flops = 10;
    template <class B>
    static B forward(B x) {
        return simd::log1p(x);
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return dy / (1.0 + x);
    }
};
struct sqrt_op {
    static constexpr std::string_view name = "sqrt";
    static constexpr double flops = 4;
    template <class B>
    static B forward(B x) {
        return simd::sqrt(x);
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return dy * 0.5 / y;
    }
};
struct rsqrt_op {
    static constexpr std::string_view name = "rsqrt";
    static constexpr double flops = 6;
    template <class B>
    static B forward(B x) {
        return simd::rsqrt(x);
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return dy * -0.5 * (y * y * y);
    }
};
struct pow_op {
    static constexpr std::string_view name = "pow";
    static constexpr double flops = 20;
    template <class B>
    static B forward(B x, B y) {
        return simd::pow(x, y);
    }
    static constexpr std::array<graph::value, 2> pullback(graph::value dz, graph::value z, graph::value x,
                                                          graph::value y);
};
// ln x where z = x^y can grow through y; 0 at x = 0, where d/dy 0^y = 0.
struct pow_log_op {
    static constexpr std::string_view name = "pow_log";
    static constexpr double flops = 12;
    template <class B>
    static B forward(B x) {
        return simd::select(x == B(0), B(0), simd::log(x));
    }
    static constexpr graph::value pullback(graph::value dy, graph::value, graph::value x) { return dy / x; }
};
// Where y = 0 the slope by x is 0 even at x = 0, where y x^(y-1) would be 0 times infinity.
constexpr std::array<graph::value, 2> pow_op::pullback(graph::value dz, graph::value z, graph::value x,
                                                       graph::value y) {
    const graph::value zero = graph::constant(dz.graph(), 0);
    const graph::value log_x = graph::elementwise(graph::info_of<pow_log_op>, {x});
    const bool number = y.get().op == graph::kind::constant;
    graph::value dx = zero;
    if (!number || y.get().number[0] != 0) {
        const graph::value slope = y * graph::elementwise(graph::info_of<pow_op>, {x, y - 1.0});
        dx = dz * (number ? slope : graph::elementwise(graph::info_of<where_op>, {graph::equal(y, zero), zero, slope}));
    }
    return {dx, dz * z * log_x};
}

}  // namespace op

/// y = e^x. dx = dy y. exp(-inf) = 0; large x gives inf. PyTorch: torch.exp.
template <Operand X>
constexpr auto exp(X&& x) {
    return elementwise<op::exp_op>(std::forward<X>(x));
}

/// y = e^x - 1, exact near 0. dx = dy (y + 1). PyTorch: torch.expm1.
template <Operand X>
constexpr auto expm1(X&& x) {
    return elementwise<op::expm1_op>(std::forward<X>(x));
}

/// y = ln x. dx = dy / x. log(0) = -inf, NaN below. PyTorch: torch.log.
template <Operand X>
constexpr auto log(X&& x) {
    return elementwise<op::log_op>(std::forward<X>(x));
}

/// y = ln(1 + x), exact near 0. dx = dy / (1 + x). PyTorch: torch.log1p.
template <Operand X>
constexpr auto log1p(X&& x) {
    return elementwise<op::log1p_op>(std::forward<X>(x));
}

/// y = sqrt(x). dx = dy / (2 y); infinite at 0. PyTorch: torch.sqrt.
template <Operand X>
constexpr auto sqrt(X&& x) {
    return elementwise<op::sqrt_op>(std::forward<X>(x));
}

/// y = 1 / sqrt(x), in full precision. dx = -dy y^3 / 2. PyTorch: torch.rsqrt.
template <Operand X>
constexpr auto rsqrt(X&& x) {
    return elementwise<op::rsqrt_op>(std::forward<X>(x));
}

/// z = x^y. dx = dz y x^(y-1) (0 where y = 0), dy = dz z ln x (0 where x = 0). A negative x needs an integral y.
/// PyTorch: torch.pow.
template <class X, class Y>
requires detail::BinaryOperands<X, Y>
constexpr auto pow(X&& x, Y&& y) {
    return elementwise<op::pow_op>(std::forward<X>(x), std::forward<Y>(y));
}

}  // namespace tenet
