// SPDX-License-Identifier: MIT
// rlhf: from a text to an aligned model in one command.
#include "../alignment/program.hpp"

int main(int argc, char** argv) {
    return alignment::run_program(argc, argv, "rlhf",
                                  "From a text to an aligned model: tokenizer, pretraining, supervised fine-tuning, "
                                  "pairs, reward model, PPO with "
                                  "and without a KL penalty, DPO, and a report of it all.",
                                  {.ppo = true, .ppo_rule = true, .ppo_free = true, .dpo = true, .seeds = true});
}
