// SPDX-License-Identifier: MIT
// Writing text, and measuring the loss of one.
#include <cmath>
#include <cstdio>

#include <tenet/io/mapped_file.hpp>

#include "evaluator.hpp"
#include "run_folder.hpp"
#include "writer.hpp"

namespace gpt {
int sample(sample_options const& options) {
    const run_state run = read_run(options.out);
    parameters<model> theta;
    load_weights(options.out, theta);
    sample_options chosen = options;
    // A text without line breaks has no token for one.
    if (chosen.prompt == "\n" && !run.tokenizer.knows("\n")) chosen.prompt = run.tokenizer.alphabet().substr(0, 1);
    std::printf("%s\n", write_text(theta, run.tokenizer, chosen).c_str());
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
