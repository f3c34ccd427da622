// SPDX-License-Identifier: MIT
// ppo: a language model is trained against a reward model, against a rule, and without anything that holds it.
#include "../alignment/program.hpp"

int main(int argc, char** argv) {
    return alignment::run_program(
        argc, argv, "ppo",
        "A small GPT is pretrained, fine-tuned and trained by PPO: against a reward model, against the rule that the "
        "reward model learnt from, and against the reward model with the KL penalty off.",
        {.ppo = true, .ppo_rule = true, .ppo_free = true});
}
