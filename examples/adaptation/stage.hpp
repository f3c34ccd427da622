// SPDX-License-Identifier: MIT
// One training of several in a run: its steps, evaluations, checkpoints, and the best of them.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <tenet/io/interrupt.hpp>
#include <tenet/io/json_lines.hpp>

#include "data_set.hpp"
#include "options.hpp"
#include "tuner.hpp"

namespace adaptation {

/// What is trained, and how long.
struct stage {
    std::string name;
    std::size_t steps = 0, first = 0;  ///< `first`: steps of the run before this stage
    double rate = 0;
    data_set const* data = nullptr;  ///< what it learns
    std::string settings{};          ///< all that decides its numbers: a resumed stage must agree
};

/// How far a stage is.
struct stage_state {
    std::size_t step = 0, best_step = 0;
    double seconds = 0;  ///< the median step's, of those since it was last resumed
    double best_loss = std::numeric_limits<double>::infinity();
};

/// Losses by step, as metrics.jsonl has them.
struct curve {
    std::vector<double> step, new_loss, old_loss;
};

/// metrics.jsonl of a run. Steps count over all stages.
class run_log {
public:
    /// Keeps what the log says up to step `kept`.
    run_log(std::filesystem::path const& folder, std::size_t kept);

    void trained(stage const& s, std::size_t step, step_outcome const& outcome, double rate);
    void evaluated(stage const& s, std::size_t step, double new_loss, double old_loss);
    /// The evaluations of a stage, in steps of its own.
    curve const& of(std::string const& stage) { return curves_[stage]; }

private:
    json_lines rows_;
    std::map<std::string, curve> curves_;
};

/// What the stages of a run share.
struct run_parts {
    options const& o;
    interrupt_scope const& guard;
    run_log& log;
    evaluator& measure;
    data_set const& old_data;
};

/// The state of a stage's checkpoint without its numbers; all zero if there is none.
/// Errors: `exception` if it is one of other settings.
stage_state saved_state(options const& o, stage const& s);

/// Trains `t` to the end of the stage and leaves it at its best evaluation; or to an interruption, which is saved: then
/// the state's step is less than the stage's. `shown` is called after each evaluation.
stage_state run_stage(run_parts const& run, stage const& s, tuner& t, std::function<void()> const& shown);

}  // namespace adaptation
