// SPDX-License-Identifier: MIT
// program: the gradients of expressions on tensors, and of functions of tensors.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <tenet/program/expression_program.hpp>

namespace tenet {
namespace error {
/// value_and_grad(y, wrt(...)): y is not a scalar.
template <class Axes>
struct value_and_grad_of_a_tensor;
/// value_and_grad(y, wrt(x)): no tensor of x's type is in y.
template <class Tensor>
struct wrt_tensor_type_not_in_expression;
}  // namespace error

namespace detail {

template <class Tensor, class Leaves>
inline constexpr bool is_leaf_type = false;
template <class Tensor, class... X>
inline constexpr bool is_leaf_type<Tensor, std::tuple<X...>> = (std::is_same_v<leaf<Tensor>, X> || ...);

// The first of the tensor types that is no operand.
template <class Leaves, class... Tensor>
struct first_stranger {
    using type = void;
};
template <class Leaves, class Tensor, class... Rest>
struct first_stranger<Leaves, Tensor, Rest...>
    : std::conditional_t<is_leaf_type<Tensor, Leaves>, first_stranger<Leaves, Rest...>, std::type_identity<Tensor>> {};

template <class X, class Wanted>
inline constexpr bool is_wanted = false;
template <class T, class... A, class... W>
inline constexpr bool is_wanted<leaf<tensor<T, A...>>, std::tuple<W...>> = (std::is_same_v<tensor<T, A...>, W> || ...);

template <class X, class Wanted>
struct part_type {
    using type = std::monostate;
};
template <class Tensor, class Wanted>
struct part_type<leaf<Tensor>, Wanted> {
    using type = std::conditional_t<is_wanted<leaf<Tensor>, Wanted>, Tensor, std::monostate>;
};

/// Runs the gradient program of `e`: its value, and for every leaf of a wanted type a gradient, else nothing.
template <class P, class Wanted, class... X, class E, class Real>
auto gradient_parts(std::type_identity<std::tuple<X...>>, E const& e, Real& value) {
    std::tuple<typename part_type<X, Wanted>::type...> parts;
    run_expression<P>(e, [&](run_context<P>& c) {
        c.outputs[0] = reinterpret_cast<std::byte*>(&value);
        std::size_t output = 1;
        const auto place = [&](auto& part, auto const& leaf) {
            if constexpr (!std::is_same_v<std::remove_cvref_t<decltype(part)>, std::monostate>) {
                part.set_extents(leaf->get().extents());
                c.outputs[output++] = reinterpret_cast<std::byte*>(part.data());
            }
        };
        const auto leaves = leaf_pointers(e);
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (place(std::get<I>(parts), std::get<I>(leaves)), ...);
        }(std::index_sequence_for<X...>{});
    });
    return parts;
}

/// Adds the gradient of leaf number `I` if it is the wanted tensor.
template <std::size_t I, class X, class Parts, class Tensor>
void add_part(X const& x, Parts const& parts, Tensor const* wanted, Tensor& gradient, bool& found) {
    if constexpr (is_leaf<X>) {
        if constexpr (std::is_same_v<typename X::tensor_type, Tensor>) {
            if (x.get().data() != wanted->data()) return;
            if (!found) gradient.set_extents(wanted->extents());
            found = true;
            Tensor const& part = std::get<I>(parts);
            for (std::size_t i = 0; i < gradient.size(); ++i) gradient.data()[i] += part.data()[i];
        }
    }
}

}  // namespace detail

/// The tensors to differentiate by, named by reference.
template <class... Tensor>
struct wrt_list {
    std::tuple<Tensor const*...> tensors;
};
template <class... Tensor>
requires(detail::is_tensor<Tensor> && ...)
wrt_list<Tensor...> wrt(Tensor const&... tensors) {
    return {{&tensors...}};
}

/// What `value_and_grad` returns: `auto [value, gradients] = ...`; `gradients` is a tuple of tensors, one for each
/// tensor named in `wrt`, with its axes.
template <class Real, class... Tensor>
struct value_and_gradients {
    Real value;
    std::tuple<Tensor...> gradients;
};

/// The value of a scalar expression and its gradients by the tensors in `wrt(a, b...)`; a tensor that occurs several
/// times gets the sum. Errors: `exception` if a tensor in `wrt` is not in the expression.
///
///     auto [loss, gradients] = value_and_grad(sum((x - y) * (x - y)), wrt(x));
template <class F, class... X, class... Tensor>
auto value_and_grad(expression<F, X...> const& e, wrt_list<Tensor...> const& by) {
    using E = expression<F, X...>;
    using real = detail::expression_real<E>;
    value_and_gradients<real, Tensor...> result{};
    if constexpr (std::is_same_v<real, poison>) {
        return result;
    } else if constexpr (!std::is_same_v<typename E::axes_type, axes<>>) {
        static_cast<void>(sizeof(error::value_and_grad_of_a_tensor<typename E::axes_type>));
    } else if constexpr (!(detail::is_leaf_type<Tensor, detail::leaves_of<E>> && ...)) {
        using stranger = typename detail::first_stranger<detail::leaves_of<E>, Tensor...>::type;
        static_cast<void>(sizeof(error::wrt_tensor_type_not_in_expression<stranger>));
    } else {
        using leaves = detail::leaves_of<E>;
        constexpr std::size_t n = std::tuple_size_v<leaves>;
        detail::with_plan(e, [&]<bool Shared>() {
            using P = typename detail::expression_program_of<E, Shared, axes<>, program_mode::gradients,
                                                             std::tuple<Tensor...>>::type;
            // One gradient for each leaf that may be wanted, summed by address afterwards.
            const auto parts =
                detail::gradient_parts<P, std::tuple<Tensor...>>(std::type_identity<leaves>{}, e, result.value);
            const auto pointers = detail::leaf_pointers(e);
            [&]<std::size_t... K>(std::index_sequence<K...>) {
                (
                    [&] {
                        auto& gradient = std::get<K>(result.gradients);
                        auto const* const wanted = std::get<K>(by.tensors);
                        bool found = false;
                        [&]<std::size_t... I>(std::index_sequence<I...>) {
                            (detail::add_part<I>(*std::get<I>(pointers), parts, wanted, gradient, found), ...);
                        }(std::make_index_sequence<n>{});
                        if (!found)
                            fail_expectation("value_and_grad",
                                             "tensors in wrt(...) that are operands of the expression",
                                             "number " + std::to_string(K) + ", which is not");
                    }(),
                    ...);
            }(std::index_sequence_for<Tensor...>{});
        });
    }
    return result;
}

/// The gradients of what a reported mistake left behind: zeros, and no further error.
template <std::same_as<poison> P, class... Tensor>
auto value_and_grad(P, wrt_list<Tensor...> const&) {
    using real = typename std::tuple_element_t<0, std::tuple<Tensor...>>::value_type;
    return value_and_gradients<real, Tensor...>{};
}

namespace detail {

template <class F>
struct external_function {
    static constexpr bool external_outputs = true;
    template <class... S>
    constexpr auto operator()(S... x) const {
        return F{}(x...);
    }
};

template <class T>
struct real_tensor {
    using gradient = std::tuple<>;
    using real = void;
};
template <std::floating_point T, class... A>
struct real_tensor<tensor<T, A...>> {
    using gradient = std::tuple<tensor<T, A...>>;
    using real = T;
};
template <class T>
struct function_input;
template <class T, class... A>
struct function_input<tensor<T, A...>> {
    using type =
        program_input<(std::is_floating_point_v<T> ? dtype::real : dtype_of<T>), std::is_floating_point_v<T>, A...>;
};

}  // namespace detail

/// The value of a function of tensors and its gradients by all real ones. `f` is a lambda without captures, or a
/// function object; it is called with symbols, so that anything that model code can do, it can, including `grad`
/// within `grad`. Integer tensors are passed through.
///
///     auto [loss, gradients] = value_and_grad([](auto w, auto x) { return sum(tanh(dot<In>(x, w))); }, w, x);
template <class F, class... Tensor>
requires(!Operand<F> && (detail::is_tensor<Tensor> && ...) && sizeof...(Tensor) > 0)
auto value_and_grad(F const&, Tensor const&... x) {
    static_assert(std::is_empty_v<F>, "value_and_grad(f, x...): f must not capture: pass tensors as arguments");
    using common = typename detail::common_real_of<typename detail::real_tensor<Tensor>::real...>::type;
    using real = std::conditional_t<std::is_same_v<common, poison>, float, common>;
    using spec = detail::program_spec<real, program_mode::gradients, models<>, detail::external_function<F>,
                                      typename detail::function_input<Tensor>::type...>;
    using P = detail::program_code<spec>;
    struct {
        real value{};
        decltype(std::tuple_cat(std::declval<typename detail::real_tensor<Tensor>::gradient>()...)) gradients;
    } result;
    if constexpr (P::sound) {
        detail::run_context<P> c;
        c.arena = detail::expression_arena<P>();
        std::size_t input = 0, output = 1;
        const auto bind = [&]<class T, class... A>(tensor<T, A...> const& t) {
            c.inputs[input++] = reinterpret_cast<std::byte const*>(t.data());
            (detail::bind_extent<A>(c, t.template extent<A>()), ...);
        };
        (bind(x), ...);
        detail::derive_extents(c);
        c.outputs[0] = reinterpret_cast<std::byte*>(&result.value);
        std::apply([&](auto&... g) { ((c.outputs[output++] = reinterpret_cast<std::byte*>(g.data())), ...); },
                   result.gradients);
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            const auto sources = std::tuple_cat([&] {
                if constexpr (std::is_void_v<typename detail::real_tensor<Tensor>::real>) return std::tuple<>{};
                else return std::tuple<Tensor const*>{&x};
            }()...);
            (std::get<I>(result.gradients).set_extents(std::get<I>(sources)->extents()), ...);
        }(std::make_index_sequence<std::tuple_size_v<decltype(result.gradients)>>{});
        detail::run_steps<P>(c);
    }
    return result;
}

}  // namespace tenet
