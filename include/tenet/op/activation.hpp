// SPDX-License-Identifier: MIT
// op: the activations of neural networks.
#pragma once

#include <tenet/op/comparison.hpp>
#include <tenet/op/elementwise.hpp>
#include <tenet/op/exponential.hpp>
#include <tenet/op/trigonometric.hpp>
#include <tenet/simd/activation.hpp>

namespace tenet {
namespace op {

struct sigmoid_op {
    static constexpr std::string_view name = "sigmoid";
    static constexpr double flops = 12;
    template <class B>
    static B forward(B x) {
        return simd::sigmoid(x);
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return dy * y * (1.0 - y);
    }
};
struct relu_op {
    static constexpr std::string_view name = "relu";
    static constexpr double flops = 1;
    static constexpr bool recomputed = true;
    template <class B>
    static B forward(B x) {
        return simd::select(x > B(0), x, simd::select(x == x, B(0), x));
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return dy * graph::elementwise(graph::info_of<greater_op>, {x, graph::constant(x.graph(), 0)});
    }
};
struct silu_op {
    static constexpr std::string_view name = "silu";
    static constexpr double flops = 14;
    static constexpr bool recomputed = true;
    template <class B>
    static B forward(B x) {
        return simd::silu(x);
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        const graph::value s = graph::elementwise(graph::info_of<sigmoid_op>, {x});
        return dy * (s * (1.0 + x * (1.0 - s)));
    }
};
struct softplus_op {
    static constexpr std::string_view name = "softplus";
    static constexpr double flops = 24;
    template <class B>
    static B forward(B x) {
        return simd::select(x > B(0), x, B(0)) + simd::log1p(simd::exp(-simd::abs(x)));
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return dy * graph::elementwise(graph::info_of<sigmoid_op>, {x});
    }
};
struct log_sigmoid_op {
    static constexpr std::string_view name = "log_sigmoid";
    static constexpr double flops = 24;
    template <class B>
    static B forward(B x) {
        return simd::select(x < B(0), x, B(0)) - simd::log1p(simd::exp(-simd::abs(x)));
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return dy * graph::elementwise(graph::info_of<sigmoid_op>, {-x});
    }
};
struct erf_op {
    static constexpr std::string_view name = "erf";
    static constexpr double flops = 20;
    template <class B>
    static B forward(B x) {
        return simd::erf(x);
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y,
                                           [[maybe_unused]] graph::value x) {
        return dy * 1.1283791670955126 * graph::elementwise(graph::info_of<exp_op>, {-(x * x)});
    }
};
/// The derivative of gelu, in one go: with t = tanh(u), u = sqrt(2/pi) (x + 0.044715 x^3), it is
/// (1 + t + x (1 - t^2) u') / 2, and its own derivative (1 - t^2) (u' - x t u'^2 + x u'' / 2).
struct gelu_slope_op {
    static constexpr std::string_view name = "gelu_slope";
    static constexpr double flops = 26, scale = 0.7978845608028654, cubic = 0.044715;
    template <class B>
    static B forward(B x) {
        return simd::gelu_slope(x);
    }
    static constexpr graph::value pullback(graph::value dy, [[maybe_unused]] graph::value y, graph::value x) {
        const graph::value square = x * x;
        const graph::value t = graph::elementwise(graph::info_of<tanh_op>, {scale * x * (1.0 + cubic * square)});
        const graph::value first = scale + (3.0 * scale * cubic) * square;
        return dy * (1.0 - t * t) * (first - x * t * first * first + (3.0 * scale * cubic) * square);
    }
};
struct gelu_op {
    static constexpr std::string_view name = "gelu";
    static constexpr double flops = 20;
    static constexpr bool recomputed = true;
    template <class B>
    static B forward(B x) {
        return simd::gelu(x);
    }
    static constexpr graph::value pullback(graph::value dy, graph::value, graph::value x) {
        return dy * graph::elementwise(graph::info_of<gelu_slope_op>, {x});
    }
};
struct gelu_erf_op {
    static constexpr std::string_view name = "gelu_erf";
    static constexpr double flops = 24;
    static constexpr double root_half = 0.7071067811865476, density = 0.3989422804014327;
    static constexpr bool recomputed = true;
    template <class B>
    static B forward(B x) {
        using T = typename B::value_type;
        return B(0.5) * x * (B(1) + simd::erf(B(T(root_half)) * x));
    }
    static constexpr graph::value pullback(graph::value dy, graph::value, graph::value x) {
        const graph::value cumulative = 0.5 + 0.5 * graph::elementwise(graph::info_of<erf_op>, {root_half * x});
        const graph::value bell = density * graph::elementwise(graph::info_of<exp_op>, {-0.5 * (x * x)});
        return dy * (cumulative + x * bell);
    }
};

}  // namespace op

/// y = 1 / (1 + e^-x). dx = dy y (1 - y). PyTorch: torch.sigmoid.
template <Operand X>
constexpr auto sigmoid(X&& x) {
    return elementwise<op::sigmoid_op>(std::forward<X>(x));
}

/// y = max(x, 0). dx = dy where x > 0; 0 at 0, as in PyTorch. PyTorch: torch.relu.
template <Operand X>
constexpr auto relu(X&& x) {
    return elementwise<op::relu_op>(std::forward<X>(x));
}

/// y = x sigmoid(x) (swish). dx = dy s (1 + x (1 - s)) with s = sigmoid(x). PyTorch: torch.nn.functional.silu.
template <Operand X>
constexpr auto silu(X&& x) {
    return elementwise<op::silu_op>(std::forward<X>(x));
}

/// y = ln(1 + e^x), computed as max(x, 0) + ln(1 + e^-|x|): finite for all finite x. dx = dy sigmoid(x).
/// PyTorch: torch.nn.functional.softplus (without its threshold).
template <Operand X>
constexpr auto softplus(X&& x) {
    return elementwise<op::softplus_op>(std::forward<X>(x));
}

/// y = ln sigmoid(x) = -softplus(-x): finite for all finite x. dx = dy sigmoid(-x).
/// PyTorch: torch.nn.functional.logsigmoid.
template <Operand X>
constexpr auto log_sigmoid(X&& x) {
    return elementwise<op::log_sigmoid_op>(std::forward<X>(x));
}

/// y = 2/sqrt(pi) times the integral of e^-t^2 from 0 to x. dx = dy 2/sqrt(pi) e^-x^2. PyTorch: torch.erf.
template <Operand X>
constexpr auto erf(X&& x) {
    return elementwise<op::erf_op>(std::forward<X>(x));
}

/// y = 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): the form of GPT-2 ("gelu_new").
/// Hendrycks and Gimpel, Gaussian Error Linear Units, eq. (2). PyTorch: gelu(x, approximate="tanh").
template <Operand X>
constexpr auto gelu(X&& x) {
    return elementwise<op::gelu_op>(std::forward<X>(x));
}

/// y = 0.5 x (1 + erf(x / sqrt(2))): the exact form; differs from `gelu` by at most 4.7e-4.
/// PyTorch: gelu(x).
template <Operand X>
constexpr auto gelu_erf(X&& x) {
    return elementwise<op::gelu_erf_op>(std::forward<X>(x));
}

}  // namespace tenet
