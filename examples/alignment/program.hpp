// SPDX-License-Identifier: MIT
// The four programs are one, which runs more or fewer stages.
#pragma once

namespace alignment {

/// What comes after the reward model.
struct stages {
    bool ppo = false;       ///< PPO against the reward model
    bool ppo_rule = false;  ///< against the rule
    bool ppo_free = false;  ///< against the reward model, with the KL penalty off
    bool dpo = false;
    bool seeds = false;   ///< may be run several times
    bool scores = false;  ///< may be asked for the rewards of texts
};

/// Runs the program `name` with the options of its command line; returns the exit code.
int run_program(int argc, char** argv, char const* name, char const* summary, stages const& which);

}  // namespace alignment
