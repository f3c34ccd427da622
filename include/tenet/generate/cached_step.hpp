// SPDX-License-Identifier: MIT
// generate: the compiled step of generation: new tokens of every row go in, the logits after the last of each come out,
// keys and values of all earlier ones are remembered. One program serves prompts, in chunks, and single tokens.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tenet/op/cache.hpp>
#include <tenet/op/gather.hpp>
#include <tenet/program/program.hpp>
#include <tenet/shape/sequence.hpp>

namespace tenet {

/// A model that text can be generated with: `hidden(tokens, positions)` [Batch, Time, Embed], `logits(x)` [..., Vocab].
/// gpt2 and llama are; a model of one's own marks its time axis by `sequence`.
template <class Model>
concept LanguageModel = requires {
    typename Model::Vocab;
    { Model::context } -> std::convertible_to<std::size_t>;
};

namespace detail {

template <std::size_t Rows, std::size_t Memory, std::size_t Chunk>
struct generation_axes {
    struct Batch : at_most<Rows> {};
    struct Time : at_most<Chunk>, sequence {};
    struct Past : axis<Memory> {};
};

template <class Model>
struct hidden_part {
    Model const* model;
    constexpr auto operator()(auto const& tokens, auto const& positions) const {
        return model->hidden(tokens, positions);
    }
};

/// The logits after token `last` of each row; `count` tokens of a row are new, from row `start` of the cache on.
template <class Axes>
struct next_logits {
    template <class Model>
    constexpr auto operator()(Model const& m, auto tokens, auto positions, auto start, auto count, auto last) const {
        const auto h = cached<typename Axes::Past>(hidden_part<Model>{&m}, start, count)(tokens, positions);
        return m.logits(gather<typename Axes::Time>(h, last));
    }
};

}  // namespace detail

/// The step of a `generator`: up to `Rows` texts of up to `Memory` tokens, up to `Chunk` new ones a step.
template <LanguageModel Model, std::size_t Rows, std::size_t Memory, std::size_t Chunk, class Block>
class cached_step {
    using sizes = detail::generation_axes<Rows, Memory, Chunk>;
    using Batch = typename sizes::Batch;
    using Time = typename sizes::Time;

public:
    using program_type = evaluation<Model, detail::next_logits<sizes>, tokens<Batch, Time>, tokens<Batch, Time>,
                                    tokens<Batch>, tokens<Batch>, tokens<Batch>>;

    /// New tokens of one row; `start` rows of the cache hold earlier ones. None: the row rests.
    struct row {
        std::span<std::int32_t const> tokens;
        std::size_t start = 0;
    };

    /// Runs the program on one entry a row.
    void run(Block const& theta, std::span<row const> rows) {
        std::size_t longest = 1;
        for (row const& r : rows) longest = std::max(longest, r.tokens.size());
        ids_.template set_extent<Batch>(rows.size());
        ids_.template set_extent<Time>(longest);
        positions_.template set_extent<Batch>(rows.size());
        positions_.template set_extent<Time>(longest);
        for (auto* t : {&start_, &count_, &last_}) t->template set_extent<Batch>(rows.size());
        ids_.fill(0);
        positions_.fill(0);
        for (std::size_t b = 0; b < rows.size(); ++b) {
            row const& r = rows[b];
            start_(b) = static_cast<std::int32_t>(r.start);
            count_(b) = static_cast<std::int32_t>(r.tokens.size());
            last_(b) = r.tokens.empty() ? 0 : count_(b) - 1;
            for (std::size_t i = 0; i < r.tokens.size(); ++i) {
                ids_(b, i) = r.tokens[i];
                positions_(b, i) = static_cast<std::int32_t>(r.start + i);
            }
        }
        program_(theta, ids_, positions_, start_, count_, last_);
    }

    /// The logits after the last new token of a row of the last run; valid until the next one.
    std::span<float const> logits(std::size_t b) const {
        constexpr std::size_t classes = Model::Vocab::capacity;
        return {program_.template view<0>().data() + b * classes, classes};
    }

private:
    program_type program_;
    tensor<std::int32_t, Batch, Time> ids_, positions_;
    tensor<std::int32_t, Batch> start_, count_, last_;
};

}  // namespace tenet
