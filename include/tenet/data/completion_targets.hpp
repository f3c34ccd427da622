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

/// Tokens first .. last - 1 of a row.
struct token_range {
    std::size_t first = 0, last = 0;

    friend bool operator==(token_range const&, token_range const&) = default;
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
        bounds_.assign(rows(), {});
    }

    /// Row `row` is `prompt_length` tokens of a prompt and then, to the end of `sequence`, the completion.
    /// Errors: `exception` if there is no prompt (the first token would be predicted from nothing), no completion, or
    /// no room.
    void set_row(std::size_t row, std::span<std::int32_t const> sequence, std::size_t prompt_length) {
        if (prompt_length == 0 || prompt_length >= sequence.size() || sequence.size() > time())
            fail_expectation(
                "completion_targets",
                "a prompt and a completion of at least one token each, of at most " + std::to_string(time()) +
                    " together",
                std::to_string(prompt_length) + " tokens of a prompt in " + std::to_string(sequence.size()));
        const token_range completion{prompt_length, sequence.size()};
        set_row(row, sequence, std::span(&completion, 1));
    }

    /// Row `row` is several prompts, each with its completion after it; `completions` are the places of the latter, in
    /// their order. Such a row has no one completion: `positions`, `length` and `part` refuse it.
    /// Errors: `exception` if completions touch (there is no prompt between them) or do not fit.
    void set_row(std::size_t row, std::span<std::int32_t const> sequence, std::span<token_range const> completions) {
        if (row >= rows())
            fail_expectation("completion_targets", "a row below " + std::to_string(rows()), std::to_string(row));
        if (sequence.size() > time())
            fail_expectation("completion_targets", "a row of at most " + std::to_string(time()) + " tokens",
                             std::to_string(sequence.size()));
        std::size_t end = 0;
        for (token_range const& c : completions) {
            if (c.first <= end || c.last <= c.first || c.last > sequence.size())
                fail_expectation("completion_targets",
                                 "a completion after at least one token of a prompt, within " + std::to_string(end) +
                                     " to " + std::to_string(sequence.size()),
                                 std::to_string(c.first) + " to " + std::to_string(c.last));
            end = c.last;
        }
        std::int32_t* const at = targets_.data() + row * time();
        std::fill_n(at, time(), ignored_target);
        bounds_[row] = {};
        if (completions.empty()) return;
        for (token_range const& c : completions) {
            for (std::size_t t = c.first - 1; t + 1 < c.last; ++t) at[t] = sequence[t + 1];
            bounds_[row].trained += c.last - c.first;
        }
        bounds_[row].first = completions.front().first - 1;
        bounds_[row].last = completions.back().last - 1;
    }

    /// The positions [first, second) of the row that predict its completion; empty for a row that was not set.
    std::pair<std::size_t, std::size_t> positions(std::size_t row) const { return {one(row).first, one(row).last}; }
    /// Tokens of the row's completion.
    std::size_t length(std::size_t row) const { return one(row).trained; }
    /// Tokens of all completions.
    std::size_t count() const {
        std::size_t n = 0;
        for (bounds const& b : bounds_) n += b.trained;
        return n;
    }

    /// The part of a tensor of one number a position that belongs to the row's completion, first token first.
    template <class T>
    std::span<T> part(tensor<T, A...>& of, std::size_t row) const {
        check(of);
        return {of.data() + row * time() + one(row).first, length(row)};
    }
    template <class T>
    std::span<T const> part(tensor<T, A...> const& of, std::size_t row) const {
        check(of);
        return {of.data() + row * time() + one(row).first, length(row)};
    }

    std::size_t rows() const { return targets_.size() / time(); }
    std::size_t time() const { return targets_.template extent<last_axis>(); }

    /// The targets as a program reads them.
    tensor<std::int32_t, A...> const& input_tensor() const { return targets_; }
    tensor<std::int32_t, A...> const& tokens() const { return targets_; }

private:
    tensor<std::int32_t, A...> targets_;
    /// Positions that predict: [first, last), of which so many are trained; fewer if there are prompts between.
    struct bounds {
        std::size_t first = 0, last = 0, trained = 0;
    };
    std::vector<bounds> bounds_;

    bounds const& one(std::size_t row) const {
        bounds const& b = bounds_.at(row);
        if (b.trained != b.last - b.first)
            fail_expectation("completion_targets: row " + std::to_string(row), "one completion", "several");
        return b;
    }

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
