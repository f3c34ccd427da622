// SPDX-License-Identifier: MIT
// program: what a program is compiled from: models, a function of them and of inputs, and what is wanted.
#pragma once

#include <cstdint>
#include <tuple>
#include <type_traits>

#include <tenet/program/layout.hpp>
#include <tenet/program/precision.hpp>

namespace tenet {

/// An input of a program: a tensor that the caller hands over at every step.
template <dtype Type, bool Differentiated, class... A>
struct program_input {
    using axes_type = axes<A...>;
    using symbol_type = symbol<Type, axes<A...>>;
    static constexpr dtype type = Type;
    static constexpr bool differentiated = Differentiated;
};

/// Token ids or class indices: `tensor<std::int32_t, A...>`.
template <class... A>
using tokens = program_input<dtype::int32, false, A...>;
/// Real numbers: `tensor<float, A...>` (or double, in a double program).
template <class... A>
using values = program_input<dtype::real, false, A...>;
/// Real numbers that a training program also differentiates by.
template <class... A>
using variable = program_input<dtype::real, true, A...>;
/// A mask: `tensor<bool, A...>`.
template <class... A>
using booleans = program_input<dtype::boolean, false, A...>;

/// Several models in one program, each with a parameter block of its own.
template <class... M>
struct models {};

/// The function that calls its one model: for programs that just evaluate it.
struct call_model {
    template <class M, class... X>
    constexpr auto operator()(M const& m, X const&... x) const {
        return m(x...);
    }
};

/// What a program computes.
enum class program_mode : std::uint8_t {
    forward,    ///< results only; dropout is the identity
    gradients,  ///< also the gradients of the first result, a scalar; dropout is the identity
    training    ///< also the gradients, with dropout
};

namespace detail {

template <class M>
struct model_list {
    using type = std::tuple<M>;
};
template <class... M>
struct model_list<models<M...>> {
    using type = std::tuple<M...>;
};

template <class X>
inline constexpr bool is_tuple = false;
template <class... X>
inline constexpr bool is_tuple<std::tuple<X...>> = true;

template <class Precision, program_mode Mode, class Models, class Function, class... Inputs>
struct spec_of;

/// The type-level description of a program; everything that the pipeline needs.
template <class Precision, program_mode Mode, class... M, class Function, class... Inputs>
struct spec_of<Precision, Mode, std::tuple<M...>, Function, Inputs...> {
    using real_type = typename precision_of<Precision>::real_type;
    using product_type = typename precision_of<Precision>::product_type;  ///< what products round their operands to
    using storage_type = typename precision_of<Precision>::storage_type;  ///< of values that only they read
    using models_type = std::tuple<M...>;
    using function_type = Function;
    using inputs_type = std::tuple<Inputs...>;
    static constexpr program_mode mode = Mode;
    static constexpr bool external_outputs = requires { Function::external_outputs; };
    static constexpr std::size_t model_count = sizeof...(M);
    static constexpr std::size_t input_count = sizeof...(Inputs);

    // Only the type of the call is asked for here: a wrong model is reported once, before its graph is evaluated.
    using result_type =
        decltype(Function{}(std::declval<M const&>()..., std::declval<typename Inputs::symbol_type>()...));
};
template <class Precision, program_mode Mode, class Models, class Function, class... Inputs>
using program_spec = spec_of<Precision, Mode, typename model_list<Models>::type, Function, Inputs...>;

}  // namespace detail
}  // namespace tenet
