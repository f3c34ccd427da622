// SPDX-License-Identifier: MIT
// models: GPT-2 in its four sizes, or any other, as a type made of a configuration. Members' names are those of the
// Hugging Face checkpoints, and linear layers lie as the files have them.
#pragma once

#include <cstddef>

#include <tenet/nn/embedding.hpp>
#include <tenet/nn/transformer_block.hpp>
#include <tenet/op/module.hpp>

namespace tenet {

/// The sizes of GPT-2: 124, 355, 774 and 1558 million parameters. A configuration of one's own is a struct with the
/// same constants; `width` must be a multiple of `heads`.
struct gpt2_small {
    static constexpr std::size_t layers = 12, heads = 12, width = 768, context = 1024, vocabulary = 50257;
};
struct gpt2_medium {
    static constexpr std::size_t layers = 24, heads = 16, width = 1024, context = 1024, vocabulary = 50257;
};
struct gpt2_large {
    static constexpr std::size_t layers = 36, heads = 20, width = 1280, context = 1024, vocabulary = 50257;
};
struct gpt2_xl {
    static constexpr std::size_t layers = 48, heads = 25, width = 1600, context = 1024, vocabulary = 50257;
};

/// The axes of a GPT-2: of its parameters, so that they are the same types whatever the model is used for.
template <class Config>
struct gpt2_axes {
    static_assert(Config::width % Config::heads == 0, "gpt2<Config>: the width must be a multiple of the heads");
    struct Vocab : axis<Config::vocabulary> {};
    struct Context : axis<Config::context> {};
    struct Embed : axis<Config::width> {};
    struct Heads : axis<Config::heads> {};
    struct HeadDim : axis<Config::width / Config::heads> {};
    struct Hidden : axis<4 * Config::width> {};
};

/// GPT-2: token and position embeddings, pre-normalised blocks, a head that shares the token table.
///
///     parameters<gpt2<gpt2_small>> theta;
///     load_gpt2("model.safetensors", theta);                            // models/gpt2_files.hpp
///     evaluation<gpt2<gpt2_small>, call_model, tokens<Batch, Time>, tokens<Batch, Time>> run;
///     run(theta, ids, positions);                                       // logits [Batch, Time, Vocab]
///
/// The time axis is whichever is marked `sequence`; positions are int32, 0 to Config::context - 1.
/// Radford et al.: Language Models are Unsupervised Multitask Learners (2019). transformers: GPT2LMHeadModel.
template <class Config>
struct gpt2 {
    using config = Config;
    using sizes = gpt2_axes<Config>;
    using Vocab = typename sizes::Vocab;
    using Embed = typename sizes::Embed;
    static constexpr std::size_t context = Config::context;

    nn::embedding<Vocab, Embed> wte{};
    nn::embedding<typename sizes::Context, Embed> wpe{};
    stack<
        nn::transformer_block<sequence, Embed, typename sizes::Heads, typename sizes::HeadDim, typename sizes::Hidden>,
        static_cast<int>(Config::layers)>
        h{};
    nn::layer_norm<Embed> ln_f{};

    /// The normalised output of the last block: tokens and positions [..., Time] to [..., Time, Embed].
    constexpr auto hidden(auto const& tokens, auto const& positions) const {
        return ln_f(h(wte(tokens) + wpe(positions)));
    }
    /// The logits of hidden vectors: [..., Embed] to [..., Vocab].
    constexpr auto logits(auto const& x) const { return dot<Embed>(x, wte.weight); }

    constexpr auto operator()(auto const& tokens, auto const& positions) const {
        return logits(hidden(tokens, positions));
    }
};

}  // namespace tenet
