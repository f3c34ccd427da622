// SPDX-License-Identifier: MIT
// qlora: full fine-tuning and low-rank adapters against adapters on a base in 4 and 8 bits.
#include "../adaptation/experiment.hpp"

int main(int argc, char** argv) {
    using namespace adaptation;
    return run_program(
        argc, argv, "qlora",
        "Adapters on a quantised base: a byte-level GPT is trained on a text, then adapted to another one "
        "(or to instructions) by training all of its weights, or adapters of rank 16 on weights in 32 "
        "bits, in NF4 and in int8.",
        options{},
        {{"full", full, false},
         {"lora-16", lora_16, true},
         {"qlora-nf4", qlora_nf4, true},
         {"qlora-int8", qlora_int8, true}});
}
