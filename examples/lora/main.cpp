// SPDX-License-Identifier: MIT
// lora: full fine-tuning against low-rank adapters.
#include "../adaptation/experiment.hpp"

int main(int argc, char** argv) {
    using namespace adaptation;
    return run_program(argc, argv, "lora",
                       "Low-rank adaptation: a byte-level GPT is trained on a text, then adapted to another one (or to "
                       "instructions) by training all of its weights, or adapters of rank 4 and 16.",
                       options{}, {{"full", full, false}, {"lora-4", lora_4, true}, {"lora-16", lora_16, true}});
}
