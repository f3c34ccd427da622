// SPDX-License-Identifier: MIT
// reward_model: a model learns which of two completions is the better one.
#include "../alignment/program.hpp"

int main(int argc, char** argv) {
    return alignment::run_program(
        argc, argv, "reward_model",
        "A small GPT is pretrained on a text and fine-tuned; a reward model learns from pairs which of two completions "
        "is the better one, and is tested on pairs that it has not seen, beside a judge that only looks at lengths.",
        {.scores = true});
}
