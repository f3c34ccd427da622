// SPDX-License-Identifier: MIT
// Element-wise operations agree with PyTorch in float and double, extreme operands included.
#define BOOST_TEST_MODULE reference_elementwise
#include "reference.hpp"

#include <boost/mpl/list.hpp>

using namespace tenet;

struct X24 : axis<24> {};
struct X32 : axis<32> {};
struct A : axis<3> {};
struct B : axis<5> {};

namespace {

using numbers = boost::mpl::list<float, double>;
using reference::with_gradients;

struct unary {
    constexpr auto operator()(auto x, auto d) const {
        return std::tuple_cat(with_gradients(exp(x), d, x), with_gradients(expm1(x), d, x),
                              with_gradients(sin(x), d, x), with_gradients(cos(x), d, x), with_gradients(-x, d, x),
                              with_gradients(abs(x), d, x), with_gradients(clamp(x, -2.0, 3.0), d, x),
                              with_gradients(x / 3.0, d, x), std::make_tuple(sign(x)));
    }
};
struct activations {
    constexpr auto operator()(auto x, auto d) const {
        return std::tuple_cat(
            with_gradients(gelu(x), d, x), with_gradients(gelu_erf(x), d, x), with_gradients(relu(x), d, x),
            with_gradients(silu(x), d, x), with_gradients(sigmoid(x), d, x), with_gradients(tanh(x), d, x),
            with_gradients(log_sigmoid(x), d, x), with_gradients(softplus(x), d, x), with_gradients(erf(x), d, x));
    }
};
struct positive {
    constexpr auto operator()(auto x, auto d) const {
        return std::tuple_cat(with_gradients(log(x), d, x), with_gradients(log1p(x), d, x),
                              with_gradients(sqrt(x), d, x), with_gradients(rsqrt(x), d, x),
                              with_gradients(pow(x, 1.5), d, x), with_gradients(1.0 / x, d, x));
    }
};
struct pairs {
    constexpr auto operator()(auto x, auto y, auto d) const {
        const auto real = [](auto mask) { return cast<dtype::real>(mask); };
        return std::tuple_cat(
            with_gradients(x + y, d, x, y), with_gradients(x - y, d, x, y), with_gradients(x * y, d, x, y),
            with_gradients(x / y, d, x, y), with_gradients(pow(x, y), d, x, y), with_gradients(maximum(x, y), d, x, y),
            with_gradients(minimum(x, y), d, x, y), with_gradients(where(less(x, y), x * y, y - x), d, x, y),
            std::make_tuple(real(greater_equal(x, y)) + 2.0 * real(equal(x, y)) + 4.0 * real(not_equal(x, y))));
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(functions_of_one_operand, T, numbers) {
    reference::compare<T, unary>(
        "unary",
        {"exp.y", "exp.dx", "expm1.y", "expm1.dx", "sin.y", "sin.dx", "cos.y", "cos.dx", "negate.y", "negate.dx",
         "abs.y", "abs.dx", "clamp.y", "clamp.dx", "divide.y", "divide.dx", "sign.y"},
        reference::input<tensor<T, X24>>("unary", "x"), reference::input<tensor<T, X24>>("unary", "d"));
}
BOOST_AUTO_TEST_CASE_TEMPLATE(activation_functions, T, numbers) {
    reference::compare<T, activations>("activations",
                                       {"gelu.y", "gelu.dx", "gelu_erf.y", "gelu_erf.dx", "relu.y", "relu.dx", "silu.y",
                                        "silu.dx", "sigmoid.y", "sigmoid.dx", "tanh.y", "tanh.dx", "log_sigmoid.y",
                                        "log_sigmoid.dx", "softplus.y", "softplus.dx", "erf.y", "erf.dx"},
                                       reference::input<tensor<T, X32>>("activations", "x"),
                                       reference::input<tensor<T, X32>>("activations", "d"));
}
BOOST_AUTO_TEST_CASE_TEMPLATE(functions_of_positive_numbers, T, numbers) {
    reference::compare<T, positive>("positive",
                                    {"log.y", "log.dx", "log1p.y", "log1p.dx", "sqrt.y", "sqrt.dx", "rsqrt.y",
                                     "rsqrt.dx", "pow.y", "pow.dx", "reciprocal.y", "reciprocal.dx"},
                                    reference::input<tensor<T, X24>>("positive", "x"),
                                    reference::input<tensor<T, X24>>("positive", "d"));
}
BOOST_AUTO_TEST_CASE_TEMPLATE(functions_of_two_operands, T, numbers) {
    reference::compare<T, pairs>(
        "pairs", {"add.y",       "add.dx",      "add.dy",     "subtract.y", "subtract.dx", "subtract.dy", "multiply.y",
                  "multiply.dx", "multiply.dy", "divide.y",   "divide.dx",  "divide.dy",   "pow.y",       "pow.dx",
                  "pow.dy",      "maximum.y",   "maximum.dx", "maximum.dy", "minimum.y",   "minimum.dx",  "minimum.dy",
                  "where.y",     "where.dx",    "where.dy",   "mask.y"},
        reference::input<tensor<T, A, B>>("pairs", "x"), reference::input<tensor<T, B>>("pairs", "y"),
        reference::input<tensor<T, A, B>>("pairs", "d"));
}
