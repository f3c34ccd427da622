// SPDX-License-Identifier: MIT
// dpo: preferences without a reward model, by an adapter, compared with PPO.
#include "../alignment/program.hpp"

int main(int argc, char** argv) {
    return alignment::run_program(
        argc, argv, "dpo",
        "A small GPT is pretrained and fine-tuned, then learns pairs twice: by DPO with a low-rank adapter, and by a "
        "reward model and PPO, which judge the result.",
        {.ppo = true, .dpo = true});
}
