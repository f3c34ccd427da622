// SPDX-License-Identifier: MIT
// data: batches of prompts and completions: truncated, ended, padded, with the targets and the last real token of each
// row. Everything follows from lengths and nothing from the padding token, which may be the end-of-text token.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tenet/data/completion_targets.hpp>

namespace tenet {

/// Which end of a prompt survives when it is cut.
enum class truncation { keep_start, keep_end };

/// How prompts and completions become rows.
struct completion_options {
    std::int32_t end_of_text = -1;           ///< appended to completions that lack it; -1: none
    std::int32_t pad = 0;                    ///< what fills the rest of a row; may be `end_of_text`
    truncation keep = truncation::keep_end;  ///< of a prompt that is too long
    std::size_t most_prompt = 0;             ///< a cut prompt has so many tokens at most; 0: half of the row
};

/// One row: prompt and completion together, and where the completion begins.
struct completion_row {
    std::vector<std::int32_t> tokens;
    std::size_t prompt = 0;
};

/// The length of a completion once it has its end-of-text token.
inline std::size_t ended_length(std::span<std::int32_t const> completion, completion_options const& options) {
    const bool ended = options.end_of_text < 0 || (!completion.empty() && completion.back() == options.end_of_text);
    return completion.size() + (ended ? 0 : 1);
}

/// Prompt and completion in at most `room` tokens: the completion gets its end-of-text token; if both are too long
/// together the prompt is cut to `most_prompt` tokens (but not further than needed), then the completion at its end.
/// `beside` is the ended length of another completion of the same prompt, which must get the same prompt.
/// Source: github.com/eric-mitchell/direct-preference-optimization, preference_datasets.py, `tokenize_batch_element`
/// (which cuts the prompt to `most_prompt` even where less would do).
/// Errors: `exception` if the prompt or the completion is empty.
inline completion_row make_completion_row(std::span<std::int32_t const> prompt,
                                          std::span<std::int32_t const> completion, std::size_t room,
                                          completion_options const& options, std::size_t beside = 0) {
    const std::size_t length = ended_length(completion, options), longest = std::max(length, beside);
    if (prompt.empty() || length == 0 || room < 2)
        fail_expectation("make_completion_row",
                         "a prompt and a completion of at least one token each, and room for both",
                         std::to_string(prompt.size()) + " and " + std::to_string(length) + " tokens, room for " +
                             std::to_string(room));
    const std::size_t half = options.most_prompt == 0 ? room / 2 : options.most_prompt;
    const std::size_t most = std::clamp(half, std::size_t{1}, room - 1);
    if (prompt.size() + longest > room && prompt.size() > most) {
        const std::size_t n = std::min(prompt.size(), std::max(most, longest < room ? room - longest : 0));
        prompt = options.keep == truncation::keep_start ? prompt.first(n) : prompt.last(n);
    }
    completion_row row{{prompt.begin(), prompt.end()}, prompt.size()};
    row.tokens.insert(row.tokens.end(), completion.begin(), completion.end());
    if (length > completion.size()) row.tokens.push_back(options.end_of_text);
    if (row.tokens.size() > room) row.tokens.resize(room);
    return row;
}

/// Rows [R..., Time] of prompts and completions: tokens padded on the right, targets of the completions, the place of
/// each row's last token. Rows are numbered across `R...`, row-major.
template <class Rows, class Time>
class completion_rows;
template <class... R, class Time>
class completion_rows<axes<R...>, Time> {
public:
    static_assert(Time::is_static, "completion_rows<axes<R...>, Time>: rows are padded to the constant extent of Time");

    explicit completion_rows(completion_options const& options) : options_(options) { resize({R::capacity...}); }

    /// Starts anew, with other extents of `R...`; all is padding.
    void resize(std::array<std::size_t, sizeof...(R)> const& extents) {
        last_.set_extents(extents);
        const std::size_t* e = extents.data();
        std::array<std::size_t, sizeof...(R) + 1> all{};
        *std::copy(e, e + sizeof...(R), all.begin()) = Time::capacity;
        tokens_.set_extents(all);
        targets_.reset(all);
        tokens_.fill(options_.pad);
        last_.fill(0);
    }

    /// Row `row` as it is: no token is added or cut. Errors: `exception` if it does not fit.
    void set(std::size_t row, completion_row const& r) {
        targets_.set_row(row, r.tokens, r.prompt);
        copy(row, r.tokens);
    }
    /// Row `row` of several prompts and completions (data/packed_rows.hpp).
    void set(std::size_t row, std::span<std::int32_t const> tokens, std::span<token_range const> completions) {
        targets_.set_row(row, tokens, completions);
        copy(row, tokens);
    }

    /// What the model reads.
    tensor<std::int32_t, R..., Time> const& tokens() const { return tokens_; }
    /// What it is to say.
    completion_targets<R..., Time> const& targets() const { return targets_; }
    /// The place of each row's last token: where a reward is read.
    tensor<std::int32_t, R...> const& last() const { return last_; }
    completion_options const& options() const { return options_; }

private:
    completion_options options_;
    tensor<std::int32_t, R..., Time> tokens_;
    completion_targets<R..., Time> targets_;
    tensor<std::int32_t, R...> last_;

    void copy(std::size_t row, std::span<std::int32_t const> tokens) {
        std::int32_t* const at = tokens_.data() + row * Time::capacity;
        std::fill(std::copy(tokens.begin(), tokens.end(), at), at + Time::capacity, options_.pad);
        last_.data()[row] = tokens.empty() ? 0 : static_cast<std::int32_t>(tokens.size() - 1);
    }
};

/// A batch of rows [Rows, Time], for fine-tuning and reward models.
///
///     completion_batch<Batch, Time> batch({.end_of_text = 50256, .pad = 50256}, rows);
///     for (...) batch.set(row, prompt, completion);
///     step.value_and_grad(theta, batch.tokens(), batch.targets());
template <class Rows, class Time>
class completion_batch : public completion_rows<axes<Rows>, Time> {
    using base = completion_rows<axes<Rows>, Time>;

public:
    explicit completion_batch(completion_options const& options, std::size_t rows = Rows::capacity) : base(options) {
        resize(rows);
    }
    /// Starts anew with so many rows of padding.
    void resize(std::size_t rows) { base::resize({rows}); }

    using base::set;
    /// Row `row` from a prompt and a completion, truncated and ended; see `make_completion_row`.
    void set(std::size_t row, std::span<std::int32_t const> prompt, std::span<std::int32_t const> completion) {
        base::set(row, make_completion_row(prompt, completion, Time::capacity, this->options()));
    }
};

}  // namespace tenet
