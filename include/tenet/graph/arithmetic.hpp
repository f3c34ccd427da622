// SPDX-License-Identifier: MIT
// graph: the arithmetic that gradients are written in: + - * / on values and numbers, and what is needed with it.
#pragma once

#include <array>
#include <string_view>

#include <tenet/graph/cotangent.hpp>
#include <tenet/graph/reduction.hpp>
#include <tenet/simd/math.hpp>

namespace tenet::graph {

using detail::add_op;

constexpr value operator+(value a, value b);
constexpr value operator-(value a, value b);
constexpr value operator*(value a, value b);
constexpr value operator/(value a, value b);
constexpr value operator-(value a);

struct subtract_op {
    static constexpr std::string_view name = "subtract";
    template <class B>
    static B forward(B x, B y) {
        return x - y;
    }
    static constexpr std::array<value, 2> pullback(value dy, value, value, value);
};
struct multiply_op {
    static constexpr std::string_view name = "multiply";
    template <class B>
    static B forward(B x, B y) {
        return x * y;
    }
    static constexpr std::array<value, 2> pullback(value dy, value, value x, value y);
};
struct divide_op {
    static constexpr std::string_view name = "divide";
    template <class B>
    static B forward(B x, B y) {
        return x / y;
    }
    static constexpr std::array<value, 2> pullback(value dy, value z, value x, value y);
};
struct negate_op {
    static constexpr std::string_view name = "negate";
    template <class B>
    static B forward(B x) {
        return -x;
    }
    static constexpr value pullback(value dy, value, value);
};
/// 1 where both are equal, else 0.
struct equal_op {
    static constexpr std::string_view name = "equal";
    static constexpr bool zero_gradient = true, yields_boolean = true;
    template <class B>
    static B forward(B x, B y) {
        return simd::select(x == y, B(1), B(0));
    }
};

namespace detail {
constexpr bool is_number(value x, double number) {
    return x.get().op == kind::constant && x.get().number[0] == number;
}
constexpr bool both_numbers(value a, value b) {
    return a.get().op == kind::constant && b.get().op == kind::constant;
}
constexpr double number(value a) {
    return a.get().number[0];
}
}  // namespace detail

// Neutral elements vanish here, so that seeds of 1 and absent terms cost nothing.
constexpr value operator+(value a, value b) {
    if (detail::both_numbers(a, b)) return constant(a.graph(), detail::number(a) + detail::number(b));
    if (detail::is_number(a, 0)) return b;
    if (detail::is_number(b, 0)) return a;
    return elementwise(info_of<add_op>, {a, b});
}
constexpr value operator-(value a, value b) {
    if (detail::both_numbers(a, b)) return constant(a.graph(), detail::number(a) - detail::number(b));
    if (detail::is_number(b, 0)) return a;
    if (detail::is_number(a, 0)) return -b;
    return elementwise(info_of<subtract_op>, {a, b});
}
constexpr value operator*(value a, value b) {
    if (detail::both_numbers(a, b)) return constant(a.graph(), detail::number(a) * detail::number(b));
    if (detail::is_number(a, 1)) return b;
    if (detail::is_number(b, 1)) return a;
    return elementwise(info_of<multiply_op>, {a, b});
}
constexpr value operator/(value a, value b) {
    if (detail::both_numbers(a, b)) return constant(a.graph(), detail::number(a) / detail::number(b));
    if (detail::is_number(b, 1)) return a;
    return elementwise(info_of<divide_op>, {a, b});
}
constexpr value operator-(value a) {
    if (a.get().op == kind::constant) return constant(a.graph(), -detail::number(a));
    return elementwise(info_of<negate_op>, {a});
}
constexpr value equal(value a, value b) {
    return elementwise(info_of<equal_op>, {a, b});
}

constexpr value operator+(value a, double b) {
    return a + constant(a.graph(), b);
}
constexpr value operator+(double a, value b) {
    return constant(b.graph(), a) + b;
}
constexpr value operator-(value a, double b) {
    return a - constant(a.graph(), b);
}
constexpr value operator-(double a, value b) {
    return constant(b.graph(), a) - b;
}
constexpr value operator*(value a, double b) {
    return a * constant(a.graph(), b);
}
constexpr value operator*(double a, value b) {
    return constant(b.graph(), a) * b;
}
constexpr value operator/(value a, double b) {
    return a / constant(a.graph(), b);
}
constexpr value operator/(double a, value b) {
    return constant(b.graph(), a) / b;
}

constexpr std::array<value, 2> subtract_op::pullback(value dy, value, value, value) {
    return {dy, -dy};
}
constexpr std::array<value, 2> multiply_op::pullback(value dy, value, value x, value y) {
    return {dy * y, dy * x};
}
constexpr std::array<value, 2> divide_op::pullback(value dy, value z, value, value y) {
    const value dx = dy / y;
    return {dx, -(dx * z)};
}
constexpr value negate_op::pullback(value dy, value, value) {
    return -dy;
}

namespace detail {
// Where several elements are the extremum, the cotangent is shared evenly between them (PyTorch's amax).
constexpr void reduce_extremum_vjp(builder& graph, int id, int cotangent) {
    const int operand = graph.at(id).input[0];
    const value x(graph, operand), y(graph, id), dy(graph, cotangent);
    const value hit = equal(x, broadcast_to(y, x.axes()));
    const value count = reduce_sum(hit, graph.at(id).over);
    accumulate(graph, operand, hit * (dy / count));
}
}  // namespace detail

}  // namespace tenet::graph
