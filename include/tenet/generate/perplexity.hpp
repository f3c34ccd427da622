// SPDX-License-Identifier: MIT
// generate: how well a model predicts a text of any length, by a window that slides over it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <tenet/base/exception.hpp>
#include <tenet/generate/cached_step.hpp>
#include <tenet/generate/options.hpp>
#include <tenet/op/cross_entropy.hpp>
#include <tenet/program/parameters.hpp>

namespace tenet {

namespace detail {

template <class Axes>
struct token_losses {
    template <class Model>
    constexpr auto operator()(Model const& m, auto tokens, auto positions, auto start, auto targets) const {
        const auto h = cached<typename Axes::Past>(hidden_part<Model>{&m}, start)(tokens, positions);
        return cross_entropy_rows<typename Model::Vocab>(m.logits(h), targets);
    }
};

}  // namespace detail

/// Measures texts under a model, with a context of at most `Memory` tokens, `Chunk` at a time.
///
///     perplexity_meter<gpt2<gpt2_small>> measure(theta);
///     double p = measure(tokens, {.stride = 512}).perplexity();
///
/// Windows begin at 0, stride, 2 stride, ...; each predicts the tokens that no earlier window has, from all that stand
/// before them in the window: a token has at least window - stride tokens of context but at the beginning of the text.
/// If the stride is the whole window, the first token of each has none, and is not counted.
/// Memory holds logits of one chunk. Borrows the parameters.
/// transformers: the documentation's "Perplexity of fixed-length models", with its strides.
template <LanguageModel Model, std::size_t Memory = Model::context, std::size_t Chunk = (Memory < 64 ? Memory : 64),
          class Block = parameters<Model>>
class perplexity_meter {
    static_assert(Memory <= Model::context, "perplexity_meter<Model, Memory>: the model knows no more positions");
    using sizes = detail::generation_axes<1, Memory, Chunk>;
    using Batch = typename sizes::Batch;
    using Time = typename sizes::Time;

public:
    using program_type = evaluation<Model, detail::token_losses<sizes>, tokens<Batch, Time>, tokens<Batch, Time>,
                                    tokens<Batch>, tokens<Batch, Time>>;

    struct options {
        std::size_t window = Memory;      ///< tokens that are seen at a time
        std::size_t stride = Memory / 2;  ///< from the beginning of one window to that of the next
    };

    explicit perplexity_meter(Block const& theta) : theta_(&theta) {}

    /// The mean loss of the tokens of `text` that have some context: all from the second on, unless windows only touch.
    /// Errors: `exception` for a text of fewer than two tokens, a token that the model does not know, a window outside
    /// of 2 .. Memory, a stride outside of 1 .. window.
    text_loss operator()(std::span<std::int32_t const> text, options const& o = {}) {
        if (text.size() < 2)
            fail_expectation("perplexity", "a text of at least two tokens", std::to_string(text.size()));
        if (o.window < 2 || o.window > Memory)
            fail_expectation("perplexity", "a window of 2 to " + std::to_string(Memory) + " tokens",
                             std::to_string(o.window));
        if (o.stride < 1 || o.stride > o.window)
            fail_expectation("perplexity", "a stride of 1 to " + std::to_string(o.window) + " tokens",
                             std::to_string(o.stride));
        double sum = 0;
        std::size_t count = 0, predicted = 1;  // the tokens before this one are done with: the first has no context
        for (std::size_t begin = 0; predicted < text.size(); begin += o.stride) {
            const std::size_t end = std::min(text.size(), begin + o.window);
            const std::size_t first = std::max(predicted, begin + 1);
            if (end > first) {
                sum += window_loss(text.subspan(begin, end - begin), first - begin);
                count += end - first;
            }
            predicted = std::max(predicted, end);
        }
        return {sum / static_cast<double>(count), count};
    }

private:
    Block const* theta_;
    program_type program_{};
    tensor<std::int32_t, Batch, Time> ids_{}, positions_{}, targets_{};
    tensor<std::int32_t, Batch> start_{};

    /// The sum of the losses of the tokens from `first` on.
    double window_loss(std::span<std::int32_t const> window, std::size_t first) {
        constexpr std::int32_t ignored = cross_entropy_options{}.ignore_index;
        double sum = 0;
        for (std::size_t at = 0; at + 1 < window.size(); at += Chunk) {
            const std::size_t n = std::min(Chunk, window.size() - 1 - at);
            for (auto* t : {&ids_, &positions_, &targets_}) t->template set_extent<Time>(n);
            for (std::size_t i = 0; i < n; ++i) {
                ids_(0, i) = window[at + i];
                positions_(0, i) = static_cast<std::int32_t>(at + i);
                targets_(0, i) = at + i + 1 >= first ? window[at + i + 1] : ignored;
            }
            start_(0) = static_cast<std::int32_t>(at);
            program_(*theta_, ids_, positions_, start_, targets_);
            const auto losses = program_.template view<0>();
            for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(losses.data()[i]);
        }
        return sum;
    }
};

}  // namespace tenet
