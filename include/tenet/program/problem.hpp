// SPDX-License-Identifier: MIT
// program: what went wrong in a trace, as one readable compile error.
#pragma once

#include <tenet/base/fixed_string.hpp>
#include <tenet/program/context.hpp>
#include <tenet/program/image.hpp>
#include <tenet/tensor/tensor.hpp>

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
/// cached<Past>(m, start): start has an axis that the queries of a causal attention in m lack.
template <fixed_string Axis>
struct cache_batch_axis_missing_in_query;
/// A gradient by a parameter that is stored in fewer bits: it cannot be trained.
template <fixed_string Path>
struct gradient_of_quantized_parameter;
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
inline constexpr bool has_poison = std::is_same_v<R, poison>;
template <class... R>
inline constexpr bool has_poison<std::tuple<R...>> = (std::is_same_v<R, poison> || ...);

template <class R, bool Poison>
struct axes_of_first {
    using type = typename symbol_at<0, R>::axes_type;
};
template <class R>
struct axes_of_first<R, true> {
    using type = axes<>;
};
template <class R>
using first_axes = typename axes_of_first<R, has_poison<R>>::type;

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

template <class Spec, std::size_t N>
constexpr fixed_string<N> problem_text() {
    return fixed_string<N>(trace<Spec>().problem_at);
}

/// Whether the program can be built, as a type; if not, its error is reported. Only the type is ever asked for: a call
/// would be a second error.
template <class Spec>
constexpr auto report_problem() {
    using R = typename Spec::result_type;
    using F = typename Spec::function_type;
    if constexpr (has_poison<R>) {
        return std::false_type{};
    } else if constexpr (Spec::mode != program_mode::forward && !std::is_same_v<first_axes<R>, axes<>>) {
        static_cast<void>(sizeof(error::loss_is_not_a_scalar<first_axes<R>>));
        return std::false_type{};
    } else if constexpr (traced<Spec>::sound) {
        return std::true_type{};
    } else {
        constexpr graph::failure what = traced<Spec>::sizes.problem;
        constexpr std::size_t length = traced<Spec>::sizes.problem_length;
        if constexpr (what == graph::failure::no_gradient)
            static_cast<void>(sizeof(error::operation_has_no_gradient<problem_text<Spec, length>()>));
        else if constexpr (what == graph::failure::no_second_gradient)
            static_cast<void>(sizeof(error::operation_has_no_second_gradient<problem_text<Spec, length>()>));
        else if constexpr (what == graph::failure::adapter_has_no_parameter)
            static_cast<void>(sizeof(error::adapter_has_no_parameter<problem_text<Spec, length>()>));
        else if constexpr (what == graph::failure::cache_batch_axis_missing)
            static_cast<void>(sizeof(error::cache_batch_axis_missing_in_query<problem_text<Spec, length>()>));
        else if constexpr (what == graph::failure::gradient_of_stored)
            static_cast<void>(sizeof(error::gradient_of_quantized_parameter<problem_text<Spec, length>()>));
        else if constexpr (what == graph::failure::parameter_outside_stack)
            static_cast<void>(sizeof(error::parameter_used_outside_its_stack<F>));
        else static_cast<void>(sizeof(error::nothing_to_train<F>));
        return std::false_type{};
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
    static constexpr bool sound = decltype(report_problem<Spec>())::value;
    static constexpr auto const& image = image_or_nothing<Spec, sound>();
};

}  // namespace detail
}  // namespace tenet
