// SPDX-License-Identifier: MIT
// data: which tokens a model is trained to say, as a type. Targets of a completion can only be made from where the
// prompt ends and where the row ends, so that neither the prompt nor the padding is trained on by mistake, whatever the
// padding token is; and the shift by one (position t predicts token t + 1) happens here and nowhere else.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/op/symbol.hpp>
#include <tenet/tensor/tensor.hpp>

namespace tenet {

/// The target of a position that is not trained: `cross_entropy_options::ignore_index`.
inline constexpr std::int32_t ignored_target = -100;

/// `completions<Rows..., Time>` inside a program: targets that are known to be of completions alone. It is no operand:
/// only what is meant for completions takes it. `tokens()` is the symbol of the targets.
template <class Axes>
class completion_symbol {
public:
    using axes_type = Axes;
    constexpr explicit completion_symbol(graph::value v) : targets_(v) {}
    constexpr symbol<dtype::int32, Axes> tokens() const { return targets_; }

private:
    symbol<dtype::int32, Axes> targets_;
};

/// Targets [A...], the last axis being time: targets[row, t] is token t + 1 of the row if that is a token of the
/// completion, else -100. Rows are numbered across all other axes, row-major. At first nothing is trained.
///
/// Program input: `completions<A...>`; a plain tensor is not taken for it.
template <class... A>
class completion_targets {
    using last_axis = std::tuple_element_t<sizeof...(A) - 1, std::tuple<A...>>;

public:
    using axes_type = axes<A...>;

    completion_targets() { reset({A::capacity...}); }

    /// Forgets all rows, and takes new extents.
    void reset(std::array<std::size_t, sizeof...(A)> const& extents) {
        targets_.set_extents(extents);
        targets_.fill(ignored_target);
        bounds_.assign(rows(), {0, 0});
    }

    /// Row `row` is `prompt_length` tokens of a prompt and then, to the end of `sequence`, the completion.
    /// Errors: `exception` if there is no prompt (the first token would be predicted from nothing), no completion, or
    /// no room.
    void set_row(std::size_t row, std::span<std::int32_t const> sequence, std::size_t prompt_length) {
        if (row >= rows())
            fail_expectation("completion_targets", "a row below " + std::to_string(rows()), std::to_string(row));
        if (prompt_length == 0 || prompt_length >= sequence.size() || sequence.size() > time())
            fail_expectation(
                "completion_targets",
                "a prompt and a completion of at least one token each, of at most " + std::to_string(time()) +
                    " together",
                std::to_string(prompt_length) + " tokens of a prompt in " + std::to_string(sequence.size()));
        std::int32_t* const at = targets_.data() + row * time();
        std::fill_n(at, time(), ignored_target);
        for (std::size_t t = prompt_length - 1; t + 1 < sequence.size(); ++t) at[t] = sequence[t + 1];
        bounds_[row] = {prompt_length - 1, sequence.size() - 1};
    }

    /// The positions [first, second) of the row that predict its completion; empty for a row that was not set.
    std::pair<std::size_t, std::size_t> positions(std::size_t row) const { return bounds_.at(row); }
    /// Tokens of the row's completion.
    std::size_t length(std::size_t row) const { return bounds_.at(row).second - bounds_.at(row).first; }
    /// Tokens of all completions.
    std::size_t count() const {
        std::size_t n = 0;
        for (auto const& [first, last] : bounds_) n += last - first;
        return n;
    }

    /// The part of a tensor of one number a position that belongs to the row's completion, first token first.
    template <class T>
    std::span<T> part(tensor<T, A...>& of, std::size_t row) const {
        check(of);
        return {of.data() + row * time() + bounds_.at(row).first, length(row)};
    }
    template <class T>
    std::span<T const> part(tensor<T, A...> const& of, std::size_t row) const {
        check(of);
        return {of.data() + row * time() + bounds_.at(row).first, length(row)};
    }

    std::size_t rows() const { return targets_.size() / time(); }
    std::size_t time() const { return targets_.template extent<last_axis>(); }

    /// The targets as a program reads them.
    tensor<std::int32_t, A...> const& input_tensor() const { return targets_; }
    tensor<std::int32_t, A...> const& tokens() const { return targets_; }

private:
    tensor<std::int32_t, A...> targets_;
    std::vector<std::pair<std::size_t, std::size_t>> bounds_;

    template <class Tensor>
    void check(Tensor const& of) const {
        if (of.extents() != targets_.extents())
            fail_expectation("completion_targets::part", "a tensor of the targets' extents", "others");
    }
};

/// The program input that takes `completion_targets<A...>` and nothing else.
template <class... A>
struct completions {
    using axes_type = axes<A...>;
    using symbol_type = completion_symbol<axes<A...>>;
    using argument_type = completion_targets<A...>;
    static constexpr dtype type = dtype::int32;
    static constexpr bool differentiated = false;
};

namespace detail {
template <class X>
inline constexpr bool is_completion = false;
template <class L>
inline constexpr bool is_completion<completion_symbol<L>> = true;
template <class... A>
inline constexpr bool is_completion<completion_targets<A...>> = true;
}  // namespace detail

/// `completion_targets` outside of a program, `completion_symbol` inside.
template <class X>
concept CompletionTargets = detail::is_completion<std::remove_cvref_t<X>>;

}  // namespace tenet
