// SPDX-License-Identifier: MIT
// Writing text, and measuring the loss of one.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include <tenet/io/mapped_file.hpp>
#include <tenet/kernel/random.hpp>

#include "evaluator.hpp"
#include "run_folder.hpp"

namespace gpt {
namespace {

// The token at the place `u` in [0, 1) of the distribution softmax(logits / temperature), cut to its k best.
std::int32_t draw(std::vector<float> const& logits, sample_options const& options, double u) {
    std::vector<std::size_t> order(logits.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
    if (options.temperature <= 0) return static_cast<std::int32_t>(order[0]);
    if (options.top_k > 0) order.resize(std::min(order.size(), options.top_k));
    std::vector<double> weight;
    for (std::size_t i : order)
        weight.push_back(
            std::exp((static_cast<double>(logits[i]) - static_cast<double>(logits[order[0]])) / options.temperature));
    double left = u * std::accumulate(weight.begin(), weight.end(), 0.0);
    for (std::size_t i = 0; i < order.size(); ++i)
        if ((left -= weight[i]) < 0) return static_cast<std::int32_t>(order[i]);
    return static_cast<std::int32_t>(order.back());
}

}  // namespace

std::string write_text(evaluator& evaluate, parameters<model> const& theta, char_tokenizer const& tokenizer,
                       sample_options const& options) {
    std::vector<std::int32_t> tokens = tokenizer.encode(options.prompt);
    if (tokens.empty()) fail_expectation("--prompt", "at least one character", "an empty text");
    const std::uint64_t stream = init::stream_of("sample");
    for (std::size_t i = 0; i < options.tokens; ++i)
        tokens.push_back(
            draw(evaluate.next_logits(theta, tokens), options, kernel::uniform_at(options.seed, stream, i)));
    return tokenizer.decode(tokens);
}

int sample(sample_options const& options) {
    const run_state run = read_run(options.out);
    parameters<model> theta;
    load_weights(options.out, theta);
    evaluator evaluate(run.tokenizer.vocabulary_size());
    sample_options chosen = options;
    // A text without line breaks has no token for one.
    if (chosen.prompt == "\n" && !run.tokenizer.knows("\n")) chosen.prompt = run.tokenizer.alphabet().substr(0, 1);
    std::printf("%s\n", write_text(evaluate, theta, run.tokenizer, chosen).c_str());
    return 0;
}

int eval(eval_options const& options) {
    const run_state run = read_run(options.out);
    parameters<model> theta;
    load_weights(options.out, theta);
    const mapped_file text(options.text);
    evaluator evaluate(run.tokenizer.vocabulary_size());
    const double loss = evaluate.mean_loss(theta, run.tokenizer.encode(text.text()));
    std::printf("step %zu  loss %.4f  perplexity %.3f\n", run.step, loss, std::exp(loss));
    return 0;
}

}  // namespace gpt
