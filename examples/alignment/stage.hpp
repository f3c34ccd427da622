// SPDX-License-Identifier: MIT
// A folder of a run, and its stages: each has a checkpoint, <name>.safetensors, and a log, <name>.jsonl. A stage that
// is complete is skipped, one that was interrupted goes on where it was.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tenet/io/interrupt.hpp>
#include <tenet/tensor/named_array.hpp>

namespace alignment {

struct stage {
    std::string name;
    std::size_t steps = 0;
    std::string settings;            ///< all that decides its numbers: a checkpoint must agree
    std::vector<std::string> shown;  ///< keys of its rows that its progress line shows
};

/// What a stage trains, and how.
struct stage_work {
    std::vector<tenet::named_array> state;                    ///< all that changes, borrowed
    std::function<nlohmann::ordered_json(std::size_t)> step;  ///< does a step; gives its row of the log
    std::function<void()> at_the_end{};                       ///< once, after the last step, before it is saved
};

/// Numbers of a log by step.
struct curve {
    std::vector<double> step, value;
};

class run_folder {
public:
    /// `stop_after`: so many steps are done, then it is as if interrupted; 0: no limit.
    run_folder(std::filesystem::path folder, std::size_t stop_after);

    /// Brings a stage to its end; false if it was interrupted, which is saved.
    /// Errors: `exception` if its checkpoint is of other settings, and if a number of a row is not finite.
    bool run(stage const& s, stage_work const& work);

    /// A product that is no checkpoint (a file, or several): whether `make` was called and came to its end with these
    /// settings, now or earlier. `make` gives false when it was interrupted.
    bool make(std::string const& name, std::string const& settings, std::function<bool()> const& make);

    std::filesystem::path const& path() const { return folder_; }
    curve of(std::string const& stage, std::string const& key) const;
    bool interrupted() const { return guard_.interrupted() || stopped_; }
    /// 0, or 128 and the number of the signal.
    int exit_code() const { return guard_.interrupted() ? 128 + guard_.signal_number() : 0; }

private:
    std::filesystem::path folder_;
    std::size_t stop_after_, done_ = 0;
    bool stopped_ = false;
    tenet::interrupt_scope guard_;

    std::filesystem::path checkpoint(std::string const& stage) const { return folder_ / (stage + ".safetensors"); }
    std::size_t saved_step(stage const& s) const;
    void save(stage const& s, stage_work const& work, std::size_t step) const;
    bool may_go_on();
};

}  // namespace alignment
