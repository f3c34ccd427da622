// SPDX-License-Identifier: MIT
// Expressions on tensors: operands, aliasing, sharing, gradients.
#include <tenet/op.hpp>
#include <tenet/program/expression.hpp>
#include <tenet/program/expression_gradients.hpp>

#include <cmath>
#include <cstdio>

using namespace tenet;

struct Row : at_most<3> {};
struct Col : axis<4> {};

static tensor<float, Row, Col> make() {
    tensor<float, Row, Col> t;
    for (std::size_t i = 0; i < t.size(); ++i) t.data()[i] = 0.1f * static_cast<float>(i);
    return t;
}

int main() {
    // [lazy]
    tensor<float, Row, Col> x = make();
    tensor<float, Col> a{1, 2, 3, 4};
    auto e = gelu(a * x + 0.5f);         // nothing is computed; a and x are referred to
    tensor<float, Row, Col> y = e;       // one fused loop
    tensor<float, Col, Row> turned = e;  // the same values in another layout
    float total = evaluate(sum(e));      // a scalar as a number
    // [lazy]
    std::printf("%d %d\n", y(2, 3) == turned(3, 2), total > 0);

    // [rvalue]
    auto safe = exp(make()) + a;  // the temporary is moved into the expression
    tensor<float, Row, Col> z = safe;
    // [rvalue]
    std::printf("%.3f\n", z(0, 1));

    // [alias]
    x = x - 2 * x;  // x is now -x
    // [alias]
    std::printf("%.1f\n", x(0, 1));

    // [shared]
    auto s = exp(x);
    auto loss = sum(s * s + s);  // exp is computed once
    // [shared]

    // [wrt]
    auto [value, gradients] = value_and_grad(loss, wrt(x));
    auto& [dx] = gradients;  // tensor<float, Row, Col>: 2 e^2x + e^x
    // [wrt]
    std::printf("%d %.4f\n", value > 0, dx(0, 0));

    // [function]
    auto f = [](auto w, auto v) {
        auto h = sum(tanh(dot<Col>(v, w)));
        auto slope = grad(h, v);  // [Row, Col]
        return h + sum(slope * slope);
    };
    auto [height, parts] = value_and_grad(f, a, x);
    auto& [dw, dv] = parts;
    // [function]
    std::printf("%d %zu %zu\n", std::isfinite(height), dw.size(), dv.size());
}
