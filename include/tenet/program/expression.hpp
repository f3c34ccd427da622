// SPDX-License-Identifier: MIT
// program: expressions on tensors, lowered to the same graph, planner and kernels as programs. An expression runs when
// it is assigned, or when its value or gradient is asked for; what is element-wise is one fused loop.
#pragma once

#include <array>
#include <concepts>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <tenet/program/program.hpp>

namespace tenet {
namespace error {
/// A tensor is assigned an expression with other axes.
template <class TensorAxes, class ExpressionAxes>
struct assignment_axes_differ;
/// A tensor is assigned an expression of another element type.
template <class TensorElement, class ExpressionElement>
struct assignment_element_types_differ;
/// An expression mixes float and double tensors: convert one with `convert<double>(x)`.
template <class First, class Second>
struct expression_mixes_element_types;
/// value_and_grad(y, wrt(...)): y is not a scalar.
template <class Axes>
struct value_and_grad_of_a_tensor;
/// value_and_grad(y, wrt(x)): no tensor of x's type is in y.
template <class Tensor>
struct wrt_tensor_type_not_in_expression;
}  // namespace error

namespace detail {

// --- the leaves of an expression, in order -----------------------------------------------------------------------

template <class X>
struct leaf_types {
    using type = std::tuple<X>;
};
template <class F, class... X>
struct leaf_types<expression<F, X...>> {
    using type = decltype(std::tuple_cat(std::declval<typename leaf_types<X>::type>()...));
};
template <class E>
using leaves_of = typename leaf_types<E>::type;

template <class X>
auto leaf_pointers(X const& x) {
    return std::tuple<X const*>(&x);
}
template <class F, class... X>
auto leaf_pointers(expression<F, X...> const& e) {
    return std::apply([](auto const&... x) { return std::tuple_cat(leaf_pointers(x)...); }, e.operands());
}

// --- the element type --------------------------------------------------------------------------------------------

template <class X>
struct real_of {
    using type = void;
};
template <class T, class... A>
struct real_of<leaf<tensor<T, A...>>> {
    using type = std::conditional_t<std::is_floating_point_v<T>, T, void>;
};

template <class First, class Second>
constexpr auto common_real() {
    if constexpr (std::is_void_v<First>) return std::type_identity<Second>{};
    else if constexpr (std::is_void_v<Second> || std::is_same_v<First, Second>) return std::type_identity<First>{};
    else {
        static_cast<void>(sizeof(error::expression_mixes_element_types<First, Second>));
        return std::type_identity<poison>{};
    }
}
template <class... R>
struct common_real_of {
    using type = double;  // integers only: comparisons are exact in double
};
template <class R>
struct common_real_of<R> {
    using type = std::conditional_t<std::is_void_v<R>, double, R>;
};
template <class R, class S, class... Rest>
struct common_real_of<R, S, Rest...> : common_real_of<typename decltype(common_real<R, S>())::type, Rest...> {};

template <class Leaves>
struct real_of_leaves;
template <class... X>
struct real_of_leaves<std::tuple<X...>> : common_real_of<typename real_of<X>::type...> {};
template <class E>
using expression_real = typename real_of_leaves<leaves_of<E>>::type;

// --- shared subexpressions ---------------------------------------------------------------------------------------
// `auto e = exp(x); e * e` holds e twice. Where a composite subexpression's type occurs again, its leaves are taken to
// be those of the first occurrence; whether they are is checked by address before that plan is used.

template <class E>
inline constexpr char type_tag = 0;

struct sharing {
    static constexpr std::size_t most = 64;
    std::size_t leaves = 0, composites = 0;
    std::size_t representative[most] = {};
    char const* tag[most] = {};
    std::size_t first[most] = {};
    bool any = false;
};

template <class X>
constexpr void find_shared(sharing& s, std::type_identity<X>) {
    if (s.leaves == sharing::most) throw "an expression has at most 64 operands";
    s.representative[s.leaves] = s.leaves;
    ++s.leaves;
}
template <class F, class... X>
constexpr void find_shared(sharing& s, std::type_identity<expression<F, X...>>) {
    const std::size_t first = s.leaves;
    (find_shared(s, std::type_identity<X>{}), ...);
    char const* const tag = &type_tag<expression<F, X...>>;
    for (std::size_t c = 0; c < s.composites; ++c) {
        if (s.tag[c] != tag) continue;
        for (std::size_t j = first; j < s.leaves; ++j) s.representative[j] = s.representative[s.first[c] + (j - first)];
        s.any = true;
        return;
    }
    s.tag[s.composites] = tag;
    s.first[s.composites++] = first;
}
template <class E>
inline constexpr sharing sharing_of = [] {
    sharing s;
    find_shared(s, std::type_identity<E>{});
    return s;
}();

// --- lowering ----------------------------------------------------------------------------------------------------

/// The symbol of a part of the expression `Root` whose first leaf is number `Offset`.
template <class Root, bool Shared, std::size_t Offset, class X>
struct lower_node {
    template <class Symbols>
    static constexpr auto run(Symbols const& s) {
        constexpr std::size_t k = Shared ? sharing_of<Root>.representative[Offset] : Offset;
        return std::get<k>(s);
    }
};
template <class Root, bool Shared, std::size_t Offset, class F, class... X>
struct lower_node<Root, Shared, Offset, expression<F, X...>> {
    static constexpr std::array<std::size_t, sizeof...(X) + 1> starts = [] {
        std::array<std::size_t, sizeof...(X) + 1> at{};
        const std::size_t sizes[] = {std::tuple_size_v<leaves_of<X>>...};
        std::size_t offset = Offset;
        for (std::size_t i = 0; i < sizeof...(X); ++i) {
            at[i] = offset;
            offset += sizes[i];
        }
        return at;
    }();
    template <class Symbols>
    static constexpr auto run(Symbols const& s) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return F{}(lower_node<Root, Shared, starts[I], X>::run(s)...);
        }(std::index_sequence_for<X...>{});
    }
};

/// The function of a program that computes the expression type `E`, its axes in the order of `Axes`.
template <class E, bool Shared, class Axes>
struct expression_function {
    static constexpr bool external_outputs = true;
    template <class... S>
    constexpr auto operator()(S... symbols) const {
        const std::tuple<S...> all{symbols...};
        const auto y = lower_node<E, Shared, 0, E>::run(all);
        using result = std::remove_const_t<decltype(y)>;
        return symbol<result::type, Axes>(graph::arrange(graph::in_memory(y.value()), axis_ids<Axes>::in(y.graph())));
    }
};

template <class Leaf, class Wanted>
struct input_for;
template <class T, class... A, class... W>
struct input_for<leaf<tensor<T, A...>>, std::tuple<W...>> {
    static constexpr bool wanted = (std::is_same_v<tensor<T, A...>, W> || ...);
    using type = program_input<symbol_for<leaf<tensor<T, A...>>>::type::type, wanted, A...>;
};
template <class T, class Wanted>
struct input_for<number<T>, Wanted> {
    using type = program_input<dtype::real, false>;
};

template <class E, bool Shared, class Axes, program_mode Mode, class Wanted, class Leaves = leaves_of<E>>
struct expression_program_of;
template <class E, bool Shared, class Axes, program_mode Mode, class Wanted, class... X>
struct expression_program_of<E, Shared, Axes, Mode, Wanted, std::tuple<X...>> {
    using type = program_code<program_spec<expression_real<E>, Mode, models<>, expression_function<E, Shared, Axes>,
                                           typename input_for<X, Wanted>::type...>>;
};

// --- evaluation --------------------------------------------------------------------------------------------------

/// The arena of an expression's program: allocated once a thread.
template <class P>
std::byte* expression_arena() {
    thread_local const aligned_array<std::byte> arena = allocate<std::byte>(P::image.arena_bytes);
    return arena.get();
}

template <class P, std::size_t I, class X, class Real>
void bind_leaf(run_context<P>& c, X const& x, Real& slot) {
    if constexpr (is_leaf<X>) {
        c.inputs[I] = reinterpret_cast<std::byte const*>(x.get().data());
        [&]<class T, class... A>(tensor<T, A...> const& t) {
            (bind_extent<A>(c, t.template extent<A>()), ...);
        }(x.get());
    } else {
        slot = static_cast<Real>(x.value);
        c.inputs[I] = reinterpret_cast<std::byte const*>(&slot);
    }
}

/// Runs the program `P` of an expression; `place(context)` gives the results' memory once the extents are known.
template <class P, class E, class Place>
void run_expression(E const& e, Place place) {
    using real = typename P::real_type;
    constexpr std::size_t n = std::tuple_size_v<leaves_of<E>>;
    run_context<P> c;
    c.arena = expression_arena<P>();
    std::array<real, n> numbers{};
    const auto leaves = leaf_pointers(e);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (bind_leaf<P, I>(c, *std::get<I>(leaves), numbers[I]), ...);
    }(std::make_index_sequence<n>{});
    derive_extents(c);
    place(c);
    run_steps<P>(c);
}

/// Whether every leaf that the shared plan identifies with another one is the same tensor or number.
template <class E>
bool sharing_holds(E const& e) {
    constexpr sharing const& s = sharing_of<E>;
    const auto leaves = leaf_pointers(e);
    bool holds = true;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (
            [&] {
                constexpr std::size_t r = s.representative[I];
                if constexpr (r != I) {
                    auto const &a = *std::get<I>(leaves), &b = *std::get<r>(leaves);
                    if constexpr (is_leaf<std::remove_cvref_t<decltype(a)>>)
                        holds = holds && a.get().data() == b.get().data();
                    else holds = holds && a.value == b.value;
                }
            }(),
            ...);
    }(std::make_index_sequence<std::tuple_size_v<leaves_of<E>>>{});
    return holds;
}

/// Calls `f.template operator()<Shared>()` with the plan that fits.
template <class E, class F>
decltype(auto) with_plan(E const& e, F&& f) {
    if constexpr (sharing_of<E>.any) {
        if (sharing_holds(e)) return f.template operator()<true>();
    }
    return f.template operator()<false>();
}

// Whether the target may be written while the leaves are read: one element-wise loop in the target's own order.
template <class P, class Target, class E>
bool may_write_in_place(E const& e, void const* target) {
    constexpr bool one_loop = P::image.steps.size() == 1 && P::image.steps[0].what == graph::step_kind::group;
    bool safe = true;
    std::apply(
        [&](auto const*... x) {
            (
                [&] {
                    using X = std::remove_cvref_t<decltype(*x)>;
                    if constexpr (is_leaf<X>) {
                        if (x->get().data() == target)
                            safe = safe && one_loop && std::is_same_v<typename X::tensor_type, Target>;
                    }
                }(),
                ...);
        },
        leaf_pointers(e));
    return safe;
}

// --- gradients ---------------------------------------------------------------------------------------------------

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

/// Computes the expression `e` into the tensor `t`, whose axes are those of `e` in any order; the extents of `at_most`
/// axes become those of the operands. `a = a - 2 * a` is right: where an operand would be overwritten too early, a
/// temporary is used. Errors: `exception` if the extents of the operands differ.
template <class F, class... X, class T, class... A>
void evaluate_into(expression<F, X...> const& e, tensor<T, A...>& t) {
    using E = expression<F, X...>;
    using real = detail::expression_real<E>;
    using S = typename E::symbol_type;
    using element = typename detail::storage_type<S::type, real>::type;
    if constexpr (std::is_same_v<real, poison>) {
        return;
    } else if constexpr (!shape::same_set<axes<A...>, typename S::axes_type>) {
        static_cast<void>(sizeof(error::assignment_axes_differ<axes<A...>, typename S::axes_type>));
    } else if constexpr (!std::is_same_v<T, element>) {
        static_cast<void>(sizeof(error::assignment_element_types_differ<T, element>));
    } else {
        detail::with_plan(e, [&]<bool Shared>() {
            using P = typename detail::expression_program_of<E, Shared, axes<A...>, program_mode::forward,
                                                             std::tuple<>>::type;
            const auto write_to = [&](tensor<T, A...>& target) {
                detail::run_expression<P>(e, [&](detail::run_context<P>& c) {
                    target.set_extents(detail::extents_of<P, P::image.outputs[0], sizeof...(A)>(c));
                    c.outputs[0] = reinterpret_cast<std::byte*>(target.data());
                });
            };
            if (detail::may_write_in_place<P, tensor<T, A...>>(e, t.data())) {
                write_to(t);
            } else {
                tensor<T, A...> aside;
                write_to(aside);
                t = std::move(aside);
            }
        });
    }
}

/// The value of an expression as a tensor (for a scalar, as a number).
template <class F, class... X>
auto evaluate(expression<F, X...> const& e) {
    using E = expression<F, X...>;
    using tensor_type = typename detail::tensor_of<typename E::symbol_type, detail::expression_real<E>>::type;
    tensor_type t;
    evaluate_into(e, t);
    if constexpr (tensor_type::rank == 0) return t.data()[0];
    else return t;
}

/// `x` as a tensor of another element type.
template <class To, class T, class... A>
tensor<To, A...> convert(tensor<T, A...> const& x) {
    tensor<To, A...> y;
    y.set_extents(x.extents());
    std::transform(x.begin(), x.end(), y.begin(), [](T v) { return static_cast<To>(v); });
    return y;
}

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

/// The gradients of what a reported mistake left behind: zeros, and no further error.
template <std::same_as<poison> P, class... Tensor>
auto value_and_grad(P, wrt_list<Tensor...> const&) {
    using real = typename std::tuple_element_t<0, std::tuple<Tensor...>>::value_type;
    return value_and_gradients<real, Tensor...>{};
}

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
