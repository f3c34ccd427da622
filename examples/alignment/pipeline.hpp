// SPDX-License-Identifier: MIT
// From a text to an aligned model, stage by stage. Each stage gives false if it was interrupted; what it needs must
// have been run before.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/io/mapped_file.hpp>

#include "options.hpp"
#include "pairs.hpp"
#include "results.hpp"
#include "rewarder.hpp"
#include "stage.hpp"
#include "writer.hpp"

namespace alignment {

/// Who scores the completions of PPO.
enum class judge { reward_model, rule };

class pipeline {
public:
    pipeline(options const& o, std::filesystem::path const& folder, std::uint64_t seed);

    bool pretrain();
    bool fine_tune();
    /// The file's, or those that the tuned model writes and the rule compares.
    bool make_pairs();
    bool reward();
    /// PPO under the name `name`; with `kl` 0 nothing holds it to the tuned model.
    bool ppo(std::string const& name, judge who, double kl);
    bool dpo();
    /// All models on held-out prompts and pairs.
    run_result evaluate();
    /// The rewards of completions of one prompt, as they would stand in --data.
    std::vector<double> scores(std::string const& prompt, std::vector<std::string> const& completions);

    bool by_rule() const { return o_.data.empty(); }
    run_folder const& folder() const { return folder_; }

private:
    options const& o_;
    std::uint64_t seed_;
    run_folder folder_;
    std::optional<mapped_file> file_;
    std::string own_text_;  // of the pairs, if there is no text
    std::string settings_;  // of all stages so far
    std::string tuned_by_;  // those of the tuned model
    std::optional<byte_pair_tokenizer> tokenizer_;
    parts<task> tasks_;
    parts<preference> pairs_;
    parts<encoded_pair> encoded_;
    parts<ids> prompts_;
    parameters<gpt> tuned_;
    std::unique_ptr<rewarder> rewarder_;
    std::vector<std::pair<std::string, std::shared_ptr<parameters<gpt>>>> models_;
    reader read_;
    std::vector<double> reference_[2];  // what the tuned model says of the held-out pairs
    std::vector<std::size_t> order_;    // of the prompts in epoch number epoch_
    std::size_t epoch_ = 0;

    std::string_view text() const { return file_ ? file_->text() : std::string_view(own_text_); }
    bool compare_by_rule(std::vector<ids> const& prompts, std::string const& what, std::vector<preference>& to);
    std::vector<completion_row> rows_of_tasks(std::vector<task> const& tasks) const;
    std::vector<std::size_t> const& order_of_epoch(std::size_t n, std::size_t epoch);
    double rule_of(rollout const& r) const;
    double preference_accuracy(parameters<gpt> const& theta);
    model_result measured(std::string const& name, parameters<gpt> const* theta, std::vector<rollout> const& said);
};

}  // namespace alignment
