// SPDX-License-Identifier: MIT
// Writing text: options, batches, streams, the loss of a text, and the cached step by hand.
#include <tenet/generate/generator.hpp>
#include <tenet/generate/perplexity.hpp>
#include <tenet/models/gpt2.hpp>
#include <tenet/nn/init.hpp>

#include <cstdio>

using namespace tenet;

struct tiny {
    static constexpr std::size_t layers = 2, heads = 2, width = 8, context = 32, vocabulary = 50;
};
using model = gpt2<tiny>;

// [step]
struct Batch : at_most<2> {};
struct New : at_most<8>, sequence {};  // up to 8 new tokens a step
struct Past : axis<32> {};             // what is remembered

struct next {
    constexpr auto operator()(auto const& m, auto ids, auto positions, auto start) const {
        return cached<Past>(m, start)(ids, positions);
    }
};
using step_type = evaluation<model, next, tokens<Batch, New>, tokens<Batch, New>, tokens<Batch>>;
static_assert(step_type::state_bytes == 2 /*layers*/ * 2 /*k, v*/ * 2 /*rows*/ * 32 * 8 * sizeof(float));
// [step]

int main() {
    parameters<model> theta;
    initialize(theta, init::gpt2{.std = 0.3}, 1);
    const std::vector<std::int32_t> prompt{3, 1, 4, 1, 5};

    // [generate]
    generator<model> write(theta);
    generation_options options;
    options.sampling = {.temperature = 0.8, .top_k = 40, .top_p = 0.95, .min_p = 0.02, .repetition_penalty = 1.1};
    options.seed = 7;
    options.max_tokens = 20;
    options.stop = {{13, 10}};
    const generated text = write(prompt, options);  // text.tokens: the new ones; text.why: length, stop, cancelled
    // [generate]
    std::printf("%s\n", text.tokens.size() == 20 || text.why == finish::stop ? "written" : "cut short");

    // [batch]
    generator<model, /*rows*/ 4> write_many(theta);
    const std::vector<std::vector<std::int32_t>> prompts{{3, 1, 4}, {1}, {5, 9, 2, 6, 5, 3}};
    const std::vector<generated> texts =
        write_many(prompts, {.max_tokens = 10}, [](std::size_t number, std::int32_t token) {
            static_cast<void>(number), static_cast<void>(token);  // show it
            return true;                                          // go on
        });
    // [batch]
    std::printf("%zu texts of %zu tokens\n", texts.size(), texts[0].tokens.size());

    // [slide]
    options.overflow = context_overflow::slide;  // when 32 tokens are reached, go on with the last 16
    options.max_tokens = 100;
    options.stop.clear();
    const generated longer = write(prompt, options);
    // [slide]
    std::printf("%zu tokens\n", longer.tokens.size());

    // [perplexity]
    perplexity_meter<model> measure(theta);
    const text_loss loss = measure(longer.tokens, {.window = 32, .stride = 8});
    std::printf("%zu tokens predicted, %s\n", loss.tokens, loss.perplexity() > 1 ? "with some surprise" : "by heart");
    // [perplexity]

    // [by_hand]
    step_type step;
    tensor<std::int32_t, Batch, New> ids(extent<Batch>(1), extent<New>(5)), positions = ids;
    tensor<std::int32_t, Batch> start(extent<Batch>(1));
    for (std::size_t i = 0; i < 5; ++i) {
        ids(0, i) = prompt[i];
        positions(0, i) = static_cast<std::int32_t>(i);
    }
    step(theta, ids, positions, start);  // the prompt: rows 0 to 4 of the cache
    ids.set_extent<New>(1);
    positions.set_extent<New>(1);
    ids(0, 0) = 9;
    positions(0, 0) = start(0) = 5;
    step(theta, ids, positions, start);  // one token more, which sees all six
    // [by_hand]
    std::printf("%zu logits\n", step.view<0>().size());
}
