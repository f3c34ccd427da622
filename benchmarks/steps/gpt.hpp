// SPDX-License-Identifier: MIT
// The GPT of the whole-step benchmarks: pre-normalised, biases, GELU by tanh, tied head, as peers/gpt_torch.py has it.
#pragma once

#include <tenet/nn.hpp>
#include <tenet/op.hpp>
#include <tenet/program.hpp>

namespace step_bench {

using namespace tenet;

/// Sizes of one configuration.
struct sizes {
    std::size_t batch, time;
    int layers;
    std::size_t heads, width, classes, padded_classes;
};
inline constexpr sizes small{12, 64, 4, 4, 128, 65, 80};
inline constexpr sizes medium{16, 256, 6, 6, 384, 65, 80};
inline constexpr sizes gpt2_124m{4, 64, 12, 12, 768, 50257, 50304};

template <sizes S>
struct model {
    struct Batch : axis<S.batch> {};
    struct Time : axis<S.time> {};
    struct Vocab : axis<S.padded_classes> {};
    struct Embed : axis<S.width> {};
    struct Hidden : axis<4 * S.width> {};
    struct Heads : axis<S.heads> {};
    struct HeadDim : axis<S.width / S.heads> {};

    using block = nn::transformer_block<Time, Embed, Heads, HeadDim, Hidden>;

    parameter<Vocab, Embed> wte{"wte.weight"};
    parameter<Time, Embed> wpe{"wpe.weight"};
    stack<block, S.layers> h;
    nn::layer_norm<Embed> ln_f;

    constexpr auto operator()(auto tokens) const { return dot<Embed>(ln_f(h(lookup(wte, tokens) + wpe)), wte); }
};

/// Cross-entropy over the classes that exist.
template <sizes S>
struct loss {
    constexpr auto operator()(auto const& m, auto tokens, auto targets) const {
        cross_entropy_options options;
        options.classes = S.classes;
        return cross_entropy<typename model<S>::Vocab>(m(tokens), targets, options);
    }
};

template <sizes S, class Precision = float>
using training_step =
    program_of<Precision, model<S>, loss<S>, tokens<typename model<S>::Batch, typename model<S>::Time>,
               tokens<typename model<S>::Batch, typename model<S>::Time>>;

}  // namespace step_bench
