// SPDX-License-Identifier: MIT
// Supervised fine-tuning: from lines of JSON to a step, by all weights and by an adapter.
#include <tenet/adapt.hpp>
#include <tenet/data.hpp>
#include <tenet/models.hpp>
#include <tenet/nn.hpp>
#include <tenet/op.hpp>
#include <tenet/optim.hpp>
#include <tenet/program.hpp>
#include <tenet/text/byte_tokenizer.hpp>
#include <tenet/text/prompt_template.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

using namespace tenet;

// [model]
struct tiny {
    static constexpr std::size_t layers = 2, heads = 2, width = 16, context = 64, vocabulary = 256;
};
using gpt = gpt2<tiny>;
struct Batch : at_most<2> {};
struct Time : axis<64>, sequence {};
constexpr std::int32_t end_of_text = 0;  // a byte that no text holds
// [model]

// [loss]
struct fine_tuning {  // CompletionTargets: a tensor of tokens does not compile here
    constexpr auto operator()(auto const& model, auto tokens, CompletionTargets auto targets) const {
        auto places = cast<dtype::int32>(positions<Time>(tokens));
        return cross_entropy<gpt::Vocab>(model(tokens, places), targets.tokens());
    }
};
using full_step = program<gpt, fine_tuning, tokens<Batch, Time>, completions<Batch, Time>>;
// [loss]

// [adapter]
using adapter = lora<gpt, 4, all_linear, lora_options{.alpha = 8}>;
struct adapting {
    constexpr auto operator()(auto const& base, auto const& delta, auto tokens, auto targets) const {
        return fine_tuning{}(with(delta, frozen(base)), tokens, targets);
    }
};
using lora_step = program<models<gpt, adapter>, adapting, tokens<Batch, Time>, completions<Batch, Time>>;
static_assert(lora_step::gradient_elements == parameter_elements<adapter>);  // none of the base
static_assert(parameter_count<adapter> < parameter_count<gpt> / 2);
// [adapter]

int main() {
    // [data]
    const auto examples = parse_instructions(R"({"instruction": "Add.", "input": "1 2", "output": "3"}
{"instruction": "Greet.", "output": "Hello"}
{"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "I"}]}
)");
    const auto shape = prompt_template::custom("Task: {instruction}\nText: {input}\nAnswer: ");
    const prompt_text first = shape(examples[0]);
    std::printf("%s[%s]\n", first.prompt.c_str(), first.response.c_str());
    // [data]

    // [batch]
    const completion_options options{.end_of_text = end_of_text, .pad = end_of_text};
    std::vector<completion_row> all;
    for (instruction_example const& e : examples) {
        const prompt_text t = shape(e);
        all.push_back(make_completion_row(byte_tokenizer().encode(t.prompt), byte_tokenizer().encode(t.response),
                                          Time::capacity, options));
    }
    completion_batch<Batch, Time> batch(options), rest(options, 1);
    batch.set(0, all[0]);  // padded on the right; the targets are those of the answer alone
    batch.set(1, all[1]);
    rest.set(0, all[2]);
    std::printf("%zu of %zu tokens are trained\n", batch.targets().count(), batch.tokens().size());
    // [batch]

    // [step]
    parameters<gpt> theta;
    initialize(theta, init::gpt2{}, 1);
    full_step train;
    adamw optimiser(train, {.weight_decay = 0.1});
    gradient_accumulator sum(train);
    double loss = 0;
    for (int step = 0; step < 3; ++step) {
        for (auto const* b : {&batch, &rest})
            sum.add(train, static_cast<double>(train.value_and_grad(theta, b->tokens(), b->targets())),
                    static_cast<double>(b->targets().count()));
        loss = sum.take(train);  // the mean over all trained tokens of both batches
        optimiser.step(theta, train, 1e-2, clip_factor(gradient_norm(train), 1.0));
    }
    std::printf("loss %.2f\n", loss);
    // [step]

    // [lora]
    parameters<adapter> delta;
    initialize_adapter(delta, 1);  // B is zero: training starts from the base
    lora_step tune;
    adamw<lora_step, 1> small(tune, {.weight_decay = 0});  // of model 1, the adapter
    for (int step = 0; step < 3; ++step) {
        loss = static_cast<double>(tune.value_and_grad(theta, delta, batch.tokens(), batch.targets()));
        small.step(delta, tune, 1e-2);
    }
    const float apart = tune(theta, delta, batch.tokens(), batch.targets());
    const auto merged = merge(std::move(theta), delta);  // plain weights again
    const float together = train(merged.weights(), batch.tokens(), batch.targets());
    std::printf("loss %.2f; merged: %s\n", loss, std::fabs(apart - together) < 1e-5f ? "the same" : "another");
    // [lora]

    // [packing]
    std::vector<std::size_t> lengths;
    for (completion_row const& r : all) lengths.push_back(r.tokens.size());
    const auto plan = pack_rows(lengths, Time::capacity);  // which examples share a row
    packed_row row;
    for (std::size_t i : plan.front()) append(row, all[i]);
    batch.set(0, row.tokens, row.completions);
    // [packing]
    std::printf("%zu rows, %zu completions in the first one\n", plan.size(), row.completions.size());
}
