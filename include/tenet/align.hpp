// SPDX-License-Identifier: MIT
// align: everything that teaches a model what people prefer.
#pragma once

#include <tenet/align/advantages.hpp>
#include <tenet/align/dpo.hpp>
#include <tenet/align/group_advantages.hpp>
#include <tenet/align/grpo.hpp>
#include <tenet/align/kl.hpp>
#include <tenet/align/kto.hpp>
#include <tenet/align/masked_mean.hpp>
#include <tenet/align/metrics.hpp>
#include <tenet/align/moments.hpp>
#include <tenet/align/operand_axes.hpp>
#include <tenet/align/orpo.hpp>
#include <tenet/align/ppo.hpp>
#include <tenet/align/ppo_options.hpp>
#include <tenet/align/ppo_trainer.hpp>
#include <tenet/align/reference.hpp>
#include <tenet/align/reward.hpp>
#include <tenet/align/reward_shaping.hpp>
#include <tenet/align/rollout.hpp>
#include <tenet/align/sample_rollouts.hpp>
#include <tenet/align/scalar_head.hpp>
#include <tenet/align/sequence_log_probability.hpp>
#include <tenet/align/simpo.hpp>
#include <tenet/align/token_rows.hpp>
