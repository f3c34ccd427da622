// SPDX-License-Identifier: MIT
// models: Llama of any size as a type made of a configuration: root-mean-square norms, rotary positions, grouped-query
// attention and SwiGLU. Members' names are those of the Hugging Face checkpoints.
#pragma once

#include <cstddef>

#include <tenet/nn/embedding.hpp>
#include <tenet/nn/grouped_query_attention.hpp>
#include <tenet/nn/rms_norm.hpp>
#include <tenet/nn/swiglu.hpp>
#include <tenet/op/module.hpp>

namespace tenet {

/// The sizes of the models that github.com/karpathy/llama2.c trains on TinyStories; files of that project rotate
/// neighbours. A configuration of one's own is a struct with the same constants.
struct llama_stories_260k {
    static constexpr std::size_t layers = 5, heads = 8, key_heads = 4, width = 64, hidden = 172, context = 512,
                                 vocabulary = 512;
    static constexpr bool tied_head = true;
    static constexpr rotary_pairs pairs = rotary_pairs::interleaved;
    static constexpr double rotary_base = 10000, norm_eps = 1e-5;
};
struct llama_stories_15m : llama_stories_260k {
    static constexpr std::size_t layers = 6, heads = 6, key_heads = 6, width = 288, hidden = 768, context = 256,
                                 vocabulary = 32000;
};
struct llama_stories_42m : llama_stories_260k {
    static constexpr std::size_t layers = 8, heads = 8, key_heads = 8, width = 512, hidden = 1376, context = 1024,
                                 vocabulary = 32000;
};
struct llama_stories_110m : llama_stories_260k {
    static constexpr std::size_t layers = 12, heads = 12, key_heads = 12, width = 768, hidden = 2048, context = 1024,
                                 vocabulary = 32000;
};

/// The axes of a Llama.
template <class Config>
struct llama_axes {
    static_assert(Config::width % Config::heads == 0, "llama<Config>: the width must be a multiple of the heads");
    static_assert(Config::heads % Config::key_heads == 0,
                  "llama<Config>: the heads must be a multiple of the heads of keys");
    struct Vocab : axis<Config::vocabulary> {};
    struct Embed : axis<Config::width> {};
    struct KeyHeads : axis<Config::key_heads> {};
    struct Group : axis<Config::heads / Config::key_heads> {};
    struct HeadDim : axis<Config::width / Config::heads> {};
    struct Hidden : axis<Config::hidden> {};
};

/// y = x + self_attn(input_layernorm(x)); result y + mlp(post_attention_layernorm(y)). transformers: LlamaDecoderLayer.
template <class Config>
struct llama_block {
    using sizes = llama_axes<Config>;
    using Embed = typename sizes::Embed;
    nn::rms_norm<Embed> input_layernorm{.eps = Config::norm_eps};
    nn::grouped_query_attention<sequence, Embed, typename sizes::KeyHeads, typename sizes::Group,
                                typename sizes::HeadDim, Config::pairs>
        self_attn{.rotary_base = Config::rotary_base};
    nn::rms_norm<Embed> post_attention_layernorm{.eps = Config::norm_eps};
    nn::swiglu<Embed, typename sizes::Hidden> mlp{};

    constexpr auto operator()(auto const& x, auto const& positions) const {
        const auto y = x + self_attn(input_layernorm(x), positions);
        return y + mlp(post_attention_layernorm(y));
    }
};

namespace detail {

template <class Config>
struct llama_trunk {
    using sizes = llama_axes<Config>;
    nn::embedding<typename sizes::Vocab, typename sizes::Embed> embed_tokens{};
    stack<llama_block<Config>, static_cast<int>(Config::layers)> layers{};
    nn::rms_norm<typename sizes::Embed> norm{.eps = Config::norm_eps};

    constexpr auto operator()(auto const& tokens, auto const& positions) const {
        return norm(layers(embed_tokens(tokens), positions));
    }
};

struct tied_head {};

template <class Config>
using llama_head =
    std::conditional_t<Config::tied_head, tied_head,
                       nn::linear<axes<typename llama_axes<Config>::Embed>, axes<typename llama_axes<Config>::Vocab>,
                                  nn::no_bias, nn::weight_layout::out_in>>;

}  // namespace detail

/// Llama: token embeddings, blocks, a head of its own or (`tied_head`) the token table.
///
/// Tokens and positions (int32) [..., Time] give logits [..., Time, Vocab]; the time axis is whichever is marked
/// `sequence`. `Config::pairs` says which elements the weights rotate together; loaders convert.
/// Touvron et al.: LLaMA (2023). transformers: LlamaForCausalLM.
template <class Config>
struct llama {
    using config = Config;
    using sizes = llama_axes<Config>;
    using Vocab = typename sizes::Vocab;
    using Embed = typename sizes::Embed;
    static constexpr std::size_t context = Config::context;

    detail::llama_trunk<Config> model{};
    detail::llama_head<Config> lm_head{};

    /// The normalised output of the last block: [..., Time] to [..., Time, Embed].
    constexpr auto hidden(auto const& tokens, auto const& positions) const { return model(tokens, positions); }
    /// The logits of hidden vectors: [..., Embed] to [..., Vocab].
    constexpr auto logits(auto const& x) const {
        if constexpr (Config::tied_head) return dot<Embed>(x, model.embed_tokens.weight);
        else return lm_head(x);
    }

    constexpr auto operator()(auto const& tokens, auto const& positions) const {
        return logits(hidden(tokens, positions));
    }
};

}  // namespace tenet
