// SPDX-License-Identifier: MIT
#include "writer.hpp"

#include <tenet/generate/generator.hpp>

namespace gpt {

std::string write_text(parameters<model> const& theta, char_tokenizer const& tokenizer, sample_options const& options) {
    std::vector<std::int32_t> tokens = tokenizer.encode(options.prompt);
    if (tokens.empty()) fail_expectation("--prompt", "at least one character", "an empty text");
    generation_options how;
    how.sampling.temperature = options.temperature;
    how.sampling.top_k = options.top_k;
    how.seed = options.seed;
    how.max_tokens = options.tokens;
    how.overflow = context_overflow::slide;        // a text may be longer than the model sees
    how.vocabulary = tokenizer.vocabulary_size();  // the rest of the classes is padding
    const generated text = generator<model>(theta)(tokens, how);
    tokens.insert(tokens.end(), text.tokens.begin(), text.tokens.end());
    return tokenizer.decode(tokens);
}

}  // namespace gpt
