// SPDX-License-Identifier: MIT
// The loss of a text under a model.
#include <cstdio>

#include <tenet/base/exception.hpp>
#include <tenet/io/mapped_file.hpp>

#include "any_tokenizer.hpp"
#include "commands.hpp"

namespace generate {

int perplexity(perplexity_options const& o) {
    using namespace tenet;
    const auto model = open_model(o.model.weights, o.model.family);
    const any_tokenizer tokenizer(o.model, model->vocabulary());
    ids tokens;
    if (!o.ids.empty()) {
        tokens = ids_of(o.ids, "--ids");
    } else {
        if (o.text.empty() || !tokenizer.exists())
            fail_expectation("perplexity", "--text and --tokenizer, or --ids", "neither");
        tokens = tokenizer.encode(mapped_file(o.text).text());
    }
    const text_loss loss = model->measure(tokens, o.window);
    std::printf("tokens %zu  loss %.6f  perplexity %.4f\n", loss.tokens, loss.mean, loss.perplexity());
    return 0;
}

}  // namespace generate
