// SPDX-License-Identifier: MIT
// program: what went wrong in a trace, as one readable compile error.
#pragma once

#include <tenet/base/fixed_string.hpp>
#include <tenet/program/trace.hpp>

namespace tenet {
namespace error {
/// A training program's function must return a scalar first: reduce it with sum or mean.
template <class Axes>
struct loss_is_not_a_scalar;
/// An operation on the way from a trainable parameter to the loss has no gradient.
template <fixed_string Operation>
struct operation_has_no_gradient;
/// The gradient of an operation's gradient was asked for, and is not defined (attention).
template <fixed_string Operation>
struct operation_has_no_second_gradient;
/// No trainable parameter or variable influences the loss: everything is frozen, or cut off by stop_gradient.
template <class Function>
struct nothing_to_train;
/// An adapter's `substitute` asks for a parameter that its `declare` did not add.
template <fixed_string Role>
struct adapter_has_no_parameter;
/// A parameter of a stack's body was used outside of the stack.
template <class Function>
struct parameter_used_outside_its_stack;
}  // namespace error

namespace detail {

template <class R>
struct symbol_list {
    using type = std::tuple<R>;
};
template <class... R>
struct symbol_list<std::tuple<R...>> {
    using type = std::tuple<R...>;
};
template <std::size_t I, class R>
using symbol_at = std::tuple_element_t<I, typename symbol_list<R>::type>;
template <class R>
inline constexpr std::size_t symbol_count = std::tuple_size_v<typename symbol_list<R>::type>;

template <class R>
struct first_symbol : symbol_at<0, R> {};
template <>
struct first_symbol<poison> {
    using axes_type = axes<>;
};

/// What stands for a result of a program whose error has been reported: it takes any use without a further one.
template <class Real>
struct poison_tensor : poison {
    template <class... I>
    Real operator()(I...) const {
        return {};
    }
    template <class A>
    std::size_t extent() const {
        return 0;
    }
    Real* data() const { return nullptr; }
    Real* begin() const { return nullptr; }
    Real* end() const { return nullptr; }
    std::size_t size() const { return 0; }
};

template <class S, class Real>
struct tensor_of;
template <dtype T, class... A, class Real>
struct tensor_of<symbol<T, axes<A...>>, Real> {
    using type = tensor<typename storage_type<T, Real>::type, A...>;
};

template <std::size_t I, class... Inputs>
constexpr std::size_t variables_before() {
    constexpr bool differentiated[] = {Inputs::differentiated..., false};
    std::size_t n = 0;
    for (std::size_t i = 0; i < I; ++i) n += differentiated[i];
    return n;
}

template <class R>
inline constexpr bool has_poison = std::is_same_v<R, poison>;
template <class... R>
inline constexpr bool has_poison<std::tuple<R...>> = (std::is_same_v<R, poison> || ...);

template <class R, bool Gradients>
constexpr bool well_formed_result() {
    if constexpr (!has_poison<R>) {
        if constexpr (Gradients && !std::is_same_v<typename symbol_at<0, R>::axes_type, axes<>>)
            static_cast<void>(mistake<error::loss_is_not_a_scalar<typename symbol_at<0, R>::axes_type>>());
    }
    return true;
}

template <class Spec>
constexpr bool usable() {
    using R = typename Spec::result_type;
    if constexpr (has_poison<R>) return false;
    else if constexpr (Spec::mode == program_mode::forward) return true;
    else return std::is_same_v<typename symbol_at<0, R>::axes_type, axes<>>;
}

template <class Spec, std::size_t N>
constexpr fixed_string<N> problem_text() {
    const pipeline p = build<Spec>();
    return fixed_string<N>(p.graph.problem_at);
}

/// Whether the program can be built; instantiates the error's name if not.
template <class Spec>
constexpr bool report_problem() {
    if constexpr (!usable<Spec>()) {
        return false;
    } else if constexpr (compiled<Spec>::sound) {
        return true;
    } else {
        constexpr graph::failure what = compiled<Spec>::sizes.problem;
        constexpr std::size_t length = compiled<Spec>::sizes.problem_length;
        using F = typename Spec::function_type;
        if constexpr (what == graph::failure::no_gradient)
            static_cast<void>(mistake<error::operation_has_no_gradient<problem_text<Spec, length>()>>());
        else if constexpr (what == graph::failure::no_second_gradient)
            static_cast<void>(mistake<error::operation_has_no_second_gradient<problem_text<Spec, length>()>>());
        else if constexpr (what == graph::failure::adapter_has_no_parameter)
            static_cast<void>(mistake<error::adapter_has_no_parameter<problem_text<Spec, length>()>>());
        else if constexpr (what == graph::failure::parameter_outside_stack)
            static_cast<void>(mistake<error::parameter_used_outside_its_stack<F>>());
        else static_cast<void>(mistake<error::nothing_to_train<F>>());
        return false;
    }
}

inline constexpr program_image<image_sizes{}> empty_image{};

template <class Spec, bool Sound>
constexpr auto const& image_or_nothing() {
    if constexpr (Sound) return image_of<Spec>;
    else return empty_image;
}

/// A compiled program: what the executor is instantiated for.
template <class Spec>
struct program_code {
    using spec = Spec;
    using real_type = typename Spec::real_type;
    // A model that does not compile has reported its error; the rest of the program stays silent.
    static constexpr bool sound = report_problem<Spec>();
    static constexpr auto const& image = image_or_nothing<Spec, sound>();
};

}  // namespace detail
}  // namespace tenet
