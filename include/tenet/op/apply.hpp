// SPDX-License-Identifier: MIT
// op: the one front door. An operation applied to symbols extends the graph being traced; applied to tensors it makes
// an expression that is traced when it is assigned, reduced or differentiated; applied to a poison it is a poison.
#pragma once

#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <tenet/op/parameter.hpp>
#include <tenet/op/symbol.hpp>
#include <tenet/tensor/tensor.hpp>

namespace tenet {

template <class F, class... X>
class expression;

namespace detail {

template <class X>
inline constexpr bool is_expression = false;
template <class F, class... X>
inline constexpr bool is_expression<expression<F, X...>> = true;

template <class X>
inline constexpr bool is_symbolic = is_symbol<X> || is_parameter<X>;
template <class X>
inline constexpr bool is_lazy = is_tensor<X> || is_expression<X>;

/// A tensor that an expression refers to (an lvalue) or shares (an rvalue was moved in).
template <class Tensor>
class leaf {
public:
    using tensor_type = Tensor;
    explicit leaf(Tensor const& t) : tensor_(&t) {}
    explicit leaf(Tensor&& t) : owned_(std::make_shared<Tensor>(std::move(t))), tensor_(owned_.get()) {}
    Tensor const& get() const { return *tensor_; }

private:
    std::shared_ptr<Tensor const> owned_;
    Tensor const* tensor_;
};

/// A number in an expression, known only at run time.
template <class T>
struct number {
    T value;
};

template <class X>
inline constexpr bool is_leaf = false;
template <class T>
inline constexpr bool is_leaf<leaf<T>> = true;
template <class X>
inline constexpr bool is_number = false;
template <class T>
inline constexpr bool is_number<number<T>> = true;

template <class X>
auto stored(X&& x) {
    using plain = std::remove_cvref_t<X>;
    if constexpr (is_tensor<plain>) return leaf<plain>(std::forward<X>(x));
    else if constexpr (std::is_arithmetic_v<plain>) return number<plain>{x};
    else return plain(std::forward<X>(x));
}

constexpr graph::builder* graph_of() {
    return nullptr;
}
template <class X, class... Rest>
constexpr graph::builder* graph_of(X const& x, Rest const&... rest) {
    if constexpr (is_symbolic<X>) return &x.graph();
    else return graph_of(rest...);
}

/// An operand of a traced operation as a symbol.
template <class X>
constexpr auto lift(graph::builder& g, X const& x) {
    if constexpr (is_symbol<X>) return x;
    else if constexpr (is_parameter<X>) return x.symbolic();
    else {
        static_assert(
            std::is_arithmetic_v<X>,
            "an operand inside a program must be a symbol, a parameter or a number; tensors are passed as inputs");
        return symbol<dtype::real, axes<>>(graph::constant(g, static_cast<double>(x)));
    }
}

template <class X>
struct symbol_for;
template <class T, class... A>
struct symbol_for<leaf<tensor<T, A...>>> {
    using type = symbol<(std::is_floating_point_v<T> ? dtype::real : dtype_of<T>), axes<A...>>;
};
template <class T>
struct symbol_for<number<T>> {
    using type = symbol<dtype::real, axes<>>;
};
template <class F, class... X>
struct symbol_for<expression<F, X...>> {
    using type = decltype(F{}(std::declval<typename symbol_for<X>::type>()...));
};

template <class X>
concept PoisonOperand = std::is_same_v<std::remove_cvref_t<X>, poison>;
template <class X>
concept TensorLike = is_symbolic<std::remove_cvref_t<X>> || is_lazy<std::remove_cvref_t<X>> || PoisonOperand<X>;
template <class X>
concept Number = std::is_arithmetic_v<std::remove_cvref_t<X>>;

/// Applies the function object `f` to operands of any kind.
template <class F, class... X>
constexpr auto apply(F f, X&&... x) {
    if constexpr ((PoisonOperand<X> || ...)) {
        return poison{};
    } else if constexpr ((is_symbolic<std::remove_cvref_t<X>> || ...)) {
        graph::builder& g = *graph_of(x...);
        const auto y = f(lift(g, x)...);
        if constexpr (is_broken_rule<std::remove_const_t<decltype(y)>>) {
            static_cast<void>(sizeof(*y.error));
            return poison{};
        } else {
            return y;
        }
    } else {
        using result = decltype(f(std::declval<typename symbol_for<decltype(stored(std::forward<X>(x)))>::type>()...));
        if constexpr (is_broken_rule<result>) {
            static_cast<void>(sizeof(*result{}.error));
            return poison{};
        } else return expression<F, decltype(stored(std::forward<X>(x)))...>(stored(std::forward<X>(x))...);
    }
}

}  // namespace detail

/// Anything an operation takes: a symbol or parameter inside a program, a tensor or expression outside.
template <class X>
concept Operand = detail::TensorLike<X>;

/// A computation on tensors that has not run: what `gelu(a * x + b)` is for tensors a, x and b. Lvalue tensors are
/// referred to and must outlive it; rvalues are moved in. It runs when it is assigned to a tensor
/// (program/expression.hpp).
template <class F, class... X>
class expression {
public:
    using function = F;
    using operands_type = std::tuple<X...>;
    using symbol_type = typename detail::symbol_for<expression>::type;
    using axes_type = typename symbol_type::axes_type;

    explicit expression(X... x) : operands_(std::move(x)...) {}
    operands_type const& operands() const { return operands_; }

private:
    operands_type operands_;
};

}  // namespace tenet
