// SPDX-License-Identifier: MIT
// finetune: a small language model learns to follow instructions.
#include "../adaptation/experiment.hpp"

int main(int argc, char** argv) {
    using namespace adaptation;
    return run_program(
        argc, argv, "finetune",
        "Supervised fine-tuning: a byte-level GPT is trained on a text, then on instructions with answers, "
        "all of its weights and by adapters.",
        options{.steps = 1000}, {{"full", full, false}, {"lora-16", lora_16, true}});
}
