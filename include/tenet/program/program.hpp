// SPDX-License-Identifier: MIT
// program: a compiled model. A step is a straight list of kernel calls over one arena: no tape, no virtual call, no
// allocation.
#pragma once

#include <memory>
#include <span>
#include <tuple>
#include <utility>

#include <tenet/program/execute.hpp>
#include <tenet/program/extents.hpp>
#include <tenet/program/parameters.hpp>
#include <tenet/program/problem.hpp>
#include <tenet/program/state.hpp>
#include <tenet/program/steps.hpp>
#include <tenet/program/tap.hpp>
#include <tenet/tensor/tensor.hpp>
#include <tenet/tensor/view.hpp>

namespace tenet {

/// A program of one or several models: `Function{}(models..., inputs...)` traced, differentiated, fused and planned at
/// compile time. Use it through the aliases `program`, `evaluation` and their `_of` forms for double and for mixed
/// precision. `Precision` is float, double or `mixed_precision<float, bfloat16>`.
///
/// Holds the arena of intermediate values and the block of gradients; the parameters are the caller's, so that one
/// program serves several sets and one set several programs. Not thread-safe: one object a thread.
template <class Precision, program_mode Mode, class Models, class Function, class... Inputs>
class basic_program {
public:
    using spec = detail::program_spec<Precision, Mode, Models, Function, Inputs...>;
    using real_type = typename spec::real_type;
    using product_type = typename spec::product_type;
    using result_type = typename spec::result_type;
    static constexpr bool has_gradients = Mode != program_mode::forward;

    using code = detail::program_code<spec>;
    // `auto` and first: an error is reported while the class is instantiated, and close to it.
    static constexpr auto sound = code::sound;
    static constexpr auto const& image = code::image;

    /// Bytes of the arena: every intermediate value of a step.
    static constexpr std::size_t activation_bytes = image.arena_bytes;
    /// Elements of the gradient block, padding included.
    static constexpr std::size_t gradient_elements = image.gradient_elements;
    /// Bytes that outlive a step: the keys and values of `cached<...>`.
    static constexpr std::size_t state_bytes = image.state_bytes;
    static constexpr std::uint64_t state_layout = detail::state_layout(image);
    /// Floating-point operations of a step at full extents.
    static constexpr double flops = image.flops;

    basic_program() : basic_program(std::make_shared<program_state>(state_bytes, state_layout)) {}
    /// A program that goes on with the state of another one: same models, same `cached<...>`, perhaps other extents of
    /// what is new. Errors: `exception` if the states are laid out differently.
    explicit basic_program(std::shared_ptr<program_state> state)
        : arena_(allocate<std::byte>(image.arena_bytes)),
          gradients_(allocate<real_type>(gradient_elements)),
          state_(std::move(state)) {
        if (state_->layout() != state_layout || state_->size() != state_bytes)
            fail_expectation("program state", std::to_string(state_bytes) + " bytes laid out as this program's",
                             std::to_string(state_->size()) + " bytes of another layout");
    }
    basic_program(basic_program&&) noexcept = default;
    basic_program& operator=(basic_program&&) noexcept = default;

    /// Runs the program. Arguments: a parameter block for each model, then a tensor for each input. Returns the value
    /// of the first result if it is a scalar; other results are read with `result<I>()`.
    /// Errors: `exception` if a run-time extent differs between inputs, or an index is out of range.
    template <class... Arguments>
    auto operator()(Arguments const&... arguments) {
        static_assert(sizeof...(Arguments) == spec::model_count + spec::input_count,
                      "a program takes one parameter block a model, then one tensor an input");
        constexpr bool scalar = std::is_same_v<detail::first_axes<result_type>, axes<>>;
        if constexpr (sound) {
            run(std::tie(arguments...), std::make_index_sequence<spec::model_count>{},
                std::make_index_sequence<spec::input_count>{});
            if constexpr (scalar) return *address_of_output<0>();
        } else if constexpr (scalar || has_gradients) {
            return real_type{};
        }
    }

    /// The same for programs with gradients, under the usual name: returns the loss, leaves the gradients.
    template <class... Arguments>
    requires(has_gradients)
    real_type value_and_grad(Arguments const&... arguments) {
        return (*this)(arguments...);
    }

    /// The gradients of all trainable parameters: a compact block, in the order of the parameters.
    std::span<real_type> gradients() { return {gradients_.get(), gradient_elements}; }
    std::span<real_type const> gradients() const { return {gradients_.get(), gradient_elements}; }

    /// A copy of the result number `I`, as a tensor with the axes of the symbol that the function returned.
    template <std::size_t I = 0>
    auto result() const {
        if constexpr (detail::has_poison<result_type>) return detail::poison_tensor<real_type>{};
        else return copy_out<I>(typename detail::tensor_of<detail::symbol_at<I, result_type>, real_type>::type{});
    }
    /// The result number `I` where it lies: valid until the next step.
    template <std::size_t I = 0>
    auto view() const {
        if constexpr (detail::has_poison<result_type> || !sound) return detail::poison_tensor<real_type>{};
        else
            return view_of<I>(
                typename detail::tensor_of<detail::symbol_at<I, result_type>, real_type>::type::axes_type{});
    }
    /// The gradient by input number `I`, which must be a `variable<...>`.
    template <std::size_t I>
    requires(has_gradients)
    auto input_gradient() const {
        using input = std::tuple_element_t<I, typename spec::inputs_type>;
        static_assert(input::differentiated, "input_gradient<I>(): input I is not a variable<...>");
        constexpr std::size_t which = detail::symbol_count<result_type> + detail::variables_before<I, Inputs...>();
        return copy_out<which>(typename detail::tensor_of<typename input::symbol_type, real_type>::type{});
    }

    /// The value that model code named with `tap<Name>(x)`, as it was in the last step: name, element type, run-time
    /// shape, memory in the arena (valid until the next step). In a stack, `layer` says which layer's; for a module
    /// that was called several times, `Occurrence` which call's.
    template <fixed_string Name, int Occurrence = 0>
    named_array tap(std::size_t layer = 0) const {
        if constexpr (sound) {
            constexpr int id = detail::tapped_node<code, Name>(Occurrence);
            static_assert(id >= 0,
                          "tap<Name>(): the program names no such value (or nothing that it computes needs it)");
            return detail::tapped_array<code, id>(context_, std::string(Name.view()), layer);
        } else {
            return {};
        }
    }

    /// Seed and step number that dropout draws from.
    void set_random_state(std::uint64_t seed, std::uint64_t step) {
        context_.seed = seed;
        context_.step = step;
    }

    /// What the program remembers from step to step; to be shared with another program.
    std::shared_ptr<program_state> const& state() const { return state_; }

    /// The memory of every intermediate value; for tests that fill it with NaN between steps.
    std::span<std::byte> arena() { return {arena_.get(), image.arena_bytes}; }
    detail::run_context<code> const& context() const { return context_; }

private:
    aligned_array<std::byte> arena_;
    aligned_array<real_type> gradients_;
    std::shared_ptr<program_state> state_;
    detail::run_context<code> context_;

    template <std::size_t Output>
    auto* address_of_output() const {
        constexpr int id = image.outputs[Output];
        return detail::address<code, id>(context_);
    }

    template <std::size_t Output, class... A>
    auto view_of(axes<A...>) const {
        auto* const data = address_of_output<Output>();
        using element = std::remove_pointer_t<decltype(data)>;
        return tensor_view<element const, A...>(
            data, detail::extents_of<code, image.outputs[Output], sizeof...(A)>(context_));
    }

    template <std::size_t Output, class Tensor>
    Tensor copy_out(Tensor t) const {
        if constexpr (sound) {
            t.set_extents(detail::extents_of<code, image.outputs[Output], Tensor::rank>(context_));
            std::copy_n(address_of_output<Output>(), t.size(), t.data());
        }
        return t;
    }

    template <class Tuple, std::size_t... M, std::size_t... I>
    void run(Tuple const& arguments, std::index_sequence<M...>, std::index_sequence<I...>) {
        context_.arena = arena_.get();
        context_.gradients = reinterpret_cast<std::byte*>(gradients_.get());
        (bind_parameters<M>(std::get<M>(arguments)), ...);
        context_.state = state_->data();
        context_.extents.fill(0);
        (bind_input<I>(std::get<spec::model_count + I>(arguments)), ...);
        detail::derive_extents(context_);
        detail::run_steps<code>(context_);
    }

    template <std::size_t M, class Block>
    void bind_parameters(Block const& block) {
        using expected = std::tuple_element_t<M, typename spec::models_type>;
        static_assert(std::is_same_v<typename Block::model_type, expected>,
                      "a program's parameter blocks must be those of its models, in their order");
        static_assert(std::is_same_v<typename Block::value_type, real_type>,
                      "a program's parameter blocks must have its element type");
        context_.parameters[M] = reinterpret_cast<std::byte*>(const_cast<real_type*>(block.data()));  // only read
    }

    // An argument that holds a tensor and is more than that; the input's declaration names its type.
    template <std::size_t I, class X>
    requires requires(X const& x) { x.input_tensor(); }
    void bind_input(X const& x) {
        using input = std::tuple_element_t<I, typename spec::inputs_type>;
        if constexpr (requires { typename input::argument_type; })
            static_assert(std::is_same_v<X, typename input::argument_type>,
                          "a program's input must be of the type that its declaration asks for");
        bind_tensor<I>(x.input_tensor());
    }
    template <std::size_t I, class T, class... A>
    void bind_input(tensor<T, A...> const& t) {
        using input = std::tuple_element_t<I, typename spec::inputs_type>;
        static_assert(
            !requires { typename input::argument_type; },
            "a program's input must be of the type that its declaration asks for, not a plain tensor");
        bind_tensor<I>(t);
    }
    template <std::size_t I, class T, class... A>
    void bind_tensor(tensor<T, A...> const& t) {
        using input = std::tuple_element_t<I, typename spec::inputs_type>;
        static_assert(std::is_same_v<axes<A...>, typename input::axes_type>,
                      "a program's input must be a tensor with the axes of its declaration, in their order");
        static_assert(std::is_same_v<T, typename detail::storage_type<input::type, real_type>::type>,
                      "a program's input must be a tensor with the element type of its declaration");
        context_.inputs[I] = reinterpret_cast<std::byte const*>(t.data());
        (detail::bind_extent<A>(context_, t.template extent<A>()), ...);
    }
};

/// A training program: the value of a scalar function of a model and inputs, and its gradients, with dropout.
///
///     program<gpt, next_token_loss, tokens<Batch, Time>, tokens<Batch, Time>> step;
///     float loss = step.value_and_grad(theta, x, y);
template <class Model, class Function, class... Inputs>
using program = basic_program<float, program_mode::training, Model, Function, Inputs...>;
/// The same over another element type, for checks in double, or in mixed precision:
/// `program_of<mixed_precision<float, bfloat16>, gpt, next_token_loss, ...>`.
template <class Precision, class Model, class Function, class... Inputs>
using program_of = basic_program<Precision, program_mode::training, Model, Function, Inputs...>;

/// A forward-only program: no gradient is traced, nothing is kept for one; dropout is the identity.
template <class Model, class Function, class... Inputs>
using evaluation = basic_program<float, program_mode::forward, Model, Function, Inputs...>;
template <class Precision, class Model, class Function, class... Inputs>
using evaluation_of = basic_program<Precision, program_mode::forward, Model, Function, Inputs...>;

}  // namespace tenet
