// SPDX-License-Identifier: MIT
// generate: text from a model. Prompts of any lengths share the rows of one compiled step; a row whose text has ended
// takes the next prompt.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/generate/cached_step.hpp>
#include <tenet/generate/options.hpp>
#include <tenet/generate/sampler.hpp>
#include <tenet/generate/stop_sequences.hpp>
#include <tenet/kernel/random.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/program/parameters.hpp>

namespace tenet {

/// Generates text with the model type `Model` (gpt2<...>, llama<...>): up to `Rows` texts at a time, a context of
/// `Memory` tokens, prompts in chunks of `Chunk`.
///
///     generator<gpt2<gpt2_small>> write(theta);
///     generated text = write(ids, {.sampling = {.temperature = 0.8, .top_k = 50}, .seed = 1, .max_tokens = 100});
///
/// Keys and values are cached: a prompt is read once, then every step computes one token a text. Memory: two vectors a
/// token, layer and head for Rows x Memory tokens. What the k-th copy of a prompt draws depends on the seed, the prompt
/// and k alone: not on threads, nor on the other prompts, but that a product of one row and one of several may differ
/// in the last bits of its logits. Borrows the parameters. transformers: GenerationMixin.generate.
template <LanguageModel Model, std::size_t Rows = 1, std::size_t Memory = Model::context,
          std::size_t Chunk = (Memory < 64 ? Memory : 64), class Block = parameters<Model>>
class generator {
    static_assert(Memory <= Model::context, "generator<Model, Rows, Memory>: the model knows no more positions");
    static_assert(Chunk <= Memory, "generator<Model, Rows, Memory, Chunk>: a chunk must fit into the memory");
    using step_type = cached_step<Model, Rows, Memory, Chunk, Block>;

public:
    using program_type = typename step_type::program_type;
    using ids = std::vector<std::int32_t>;
    /// How many texts are written at a time.
    static constexpr std::size_t most_rows = Rows;

    explicit generator(Block const& theta) : theta_(&theta) {}

    /// The continuations of `prompts`, in their order.
    /// Errors: `exception` for an empty prompt, a token that the model does not know, options outside of their ranges,
    /// and, unless the window slides, for a text that may exceed the context.
    std::vector<generated> operator()(std::vector<ids> const& prompts, generation_options const& options = {},
                                      token_callback const& callback = {}) {
        check(prompts, options);
        const stop_sequences stops(options.stop);
        std::vector<generated> results(prompts.size());
        std::vector<text> rows;
        std::size_t next = 0;
        for (;;) {
            for (text& t : rows)
                if (t.ended && next < prompts.size()) t = begin(prompts, next++, options);
            while (rows.size() < Rows && next < prompts.size()) rows.push_back(begin(prompts, next++, options));
            while (!rows.empty() && rows.back().ended) rows.pop_back();
            if (rows.empty()) return results;
            advance(rows, options);
            sample(rows, options);
            for (text& t : rows) settle(t, options, stops, callback, results);
        }
    }

    /// The continuation of one prompt.
    generated operator()(ids const& prompt, generation_options const& options = {},
                         token_callback const& callback = {}) {
        return std::move((*this)(std::vector<ids>{prompt}, options, callback).front());
    }

    /// The logits after the last of `tokens`, which are read from the beginning.
    std::vector<float> logits(ids const& tokens) {
        generation_options options;
        options.max_tokens = 1;
        check({tokens}, options);
        std::vector<text> rows{begin({tokens}, 0, options)};
        do advance(rows, options);
        while (rows[0].pending() != 0);
        const std::span<float const> last = step_.logits(0);
        return {last.begin(), last.end()};
    }

private:
    /// A text being written, in a row of the step.
    struct text {
        std::size_t prompt = 0;  ///< its number
        ids tokens{};            ///< prompt and continuation
        std::size_t fresh = 0;   ///< where the continuation begins
        std::size_t window = 0;  ///< where the context begins
        std::size_t cached = 0;  ///< how many of the context's tokens the cache holds
        std::size_t shown = 0;   ///< how many new tokens the callback has had
        std::uint64_t stream = 0;
        bool ended = false;

        std::size_t pending() const { return ended ? 0 : tokens.size() - window - cached; }
    };

    Block const* theta_;
    step_type step_{};
    std::vector<token_sampler> samplers_ = std::vector<token_sampler>(Rows);
    std::vector<typename step_type::row> new_{};

    static std::size_t classes(generation_options const& options) {
        return options.vocabulary == 0 ? Model::Vocab::capacity : options.vocabulary;
    }

    static void check(std::vector<ids> const& prompts, generation_options const& options) {
        options.sampling.check();
        if (classes(options) > Model::Vocab::capacity)
            fail_expectation("vocabulary", "at most " + std::to_string(Model::Vocab::capacity) + " tokens",
                             std::to_string(options.vocabulary));
        if (options.keep >= Memory && options.keep != 0)
            fail_expectation("keep", "fewer than the " + std::to_string(Memory) + " tokens of the context",
                             std::to_string(options.keep));
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            const std::string name = "prompt " + std::to_string(i);
            if (prompts[i].empty()) fail_expectation(name, "at least one token", "none");
            for (std::int32_t id : prompts[i])
                if (id < 0 || static_cast<std::size_t>(id) >= classes(options))
                    fail_expectation(name, "tokens from 0 to " + std::to_string(classes(options) - 1),
                                     std::to_string(id));
            // The last token is never read.
            const std::size_t needed = prompts[i].size() + std::max<std::size_t>(1, options.max_tokens) - 1;
            if (options.overflow == context_overflow::error && needed > Memory)
                fail_expectation(name,
                                 "a prompt and a continuation that fit into the context of " + std::to_string(Memory) +
                                     " tokens (or a sliding window)",
                                 std::to_string(prompts[i].size()) + " and " + std::to_string(options.max_tokens));
        }
    }

    static text begin(std::vector<ids> const& prompts, std::size_t number, generation_options const& options) {
        text t;
        t.prompt = number;
        t.tokens = prompts[number];
        t.fresh = t.tokens.size();
        t.window = t.fresh > Memory ? t.fresh - Memory : 0;
        std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
        for (std::int32_t id : t.tokens) hash = (hash ^ static_cast<std::uint64_t>(id)) * 0x100000001b3u;
        t.stream = hash;
        for (std::size_t i = 0; i < number; ++i) t.stream += prompts[i] == t.tokens;
        t.ended = options.max_tokens == 0;
        return t;
    }

    /// One step: every row takes what it can of its pending tokens.
    void advance(std::vector<text>& rows, generation_options const& options) {
        new_.clear();
        for (text& t : rows) {
            if (t.cached + t.pending() > Memory) {
                const std::size_t keep = options.keep == 0 ? std::max<std::size_t>(1, Memory / 2) : options.keep;
                t.window = t.tokens.size() - keep;
                t.cached = 0;
            }
            const std::size_t n = std::min(t.pending(), Chunk);
            new_.push_back({std::span<std::int32_t const>(t.tokens).subspan(t.window + t.cached, n), t.cached});
        }
        step_.run(*theta_, new_);
        for (std::size_t b = 0; b < rows.size(); ++b) rows[b].cached += new_[b].tokens.size();
    }

    /// The next token of every row whose tokens have all been read.
    void sample(std::vector<text>& rows, generation_options const& options) {
        parallel_for(rows.size(), 1, [&](std::size_t first, std::size_t last) {
            for (std::size_t b = first; b < last; ++b) {
                text& t = rows[b];
                if (t.ended || t.pending() != 0) continue;
                const double u = kernel::uniform_at<double>(options.seed, t.stream, t.tokens.size() - t.fresh);
                t.tokens.push_back(
                    samplers_[b](step_.logits(b).first(classes(options)), options.sampling, t.tokens, u));
            }
        });
    }

    /// Shows what is certain, and notices the end.
    static void settle(text& t, generation_options const& options, stop_sequences const& stops,
                       token_callback const& callback, std::vector<generated>& results) {
        if (t.ended || t.pending() != 1) return;
        std::span<std::int32_t const> fresh = std::span<std::int32_t const>(t.tokens).subspan(t.fresh);
        generated& result = results[t.prompt];
        if (const std::size_t n = stops.matched(fresh); n != 0) {
            fresh = fresh.first(fresh.size() - n);
            result.why = finish::stop;
            t.ended = true;
        } else if (fresh.size() == options.max_tokens) {
            result.why = finish::length;
            t.ended = true;
        }
        const std::size_t certain = t.ended ? fresh.size() : fresh.size() - stops.undecided(fresh);
        for (; callback && t.shown < certain; ++t.shown) {
            if (callback(t.prompt, fresh[t.shown])) continue;
            fresh = fresh.first(t.shown + 1);
            result.why = finish::cancelled;
            t.ended = true;
            break;
        }
        if (t.ended) result.tokens.assign(fresh.begin(), fresh.end());
    }
};

}  // namespace tenet
