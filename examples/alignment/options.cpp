// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <CLI/CLI.hpp>

#include "model.hpp"

namespace alignment {

void add_options(CLI::App& app, options& o, option_groups groups) {
    const auto add = [&](std::string const& name, auto& value, std::string const& help) {
        return app.add_option("--" + name, value, help)->capture_default_str();
    };
    app.add_option("--text", o.text, "The text to pretrain on; without --data its lines are the prompts too")
        ->check(CLI::ExistingFile);
    app.add_option("--data", o.data,
                   "Pairs: JSON lines with prompt, chosen and rejected. Default: completions that the fine-tuned model "
                   "writes of the text's lines, compared by a rule: gentle words are good, harsh ones are bad")
        ->check(CLI::ExistingFile);
    add("out", o.out, "Folder of the run, which the four programs may share: what is done in it is not done again");
    const auto add_steps = [&](std::string const& name, auto& value, std::string const& what, default_steps const& d) {
        app.add_option("--" + name, value, "Steps of " + what)
            ->check(CLI::PositiveNumber)
            ->default_str(std::to_string(d.most) + ", or " + std::to_string(d.passes) +
                          " times all data if that is less");
    };
    add_steps("pretrain-steps", o.pretrain_steps, "pretraining", pretraining);
    add_steps("tune-steps", o.tune_steps, "supervised fine-tuning", fine_tuning);
    add("batch", o.batch, "Rows of 96 tokens a step of both")->check(CLI::Range(std::size_t{1}, Rows::capacity));
    add("prompts", o.prompts, "Prompts that the model completes for the rule, four times each")
        ->check(CLI::Range(20, 1000000));
    add("reward-epochs", o.reward_epochs, "Times that the reward model sees all pairs")->check(CLI::PositiveNumber);
    add("pretrain-rate", o.pretrain_rate, "Highest learning rate of pretraining")->check(CLI::PositiveNumber);
    add("tune-rate", o.tune_rate, "... of fine-tuning")->check(CLI::PositiveNumber);
    add("reward-rate", o.reward_rate, "... of the reward model")->check(CLI::PositiveNumber);
    if (groups.ppo) {
        add("rounds", o.rounds, "Rounds of PPO")->check(CLI::PositiveNumber);
        add("rollouts", o.rollouts, "Completions a round")->check(CLI::PositiveNumber);
        add("ppo-rate", o.ppo_rate, "Learning rate of PPO")->check(CLI::PositiveNumber);
        add("kl", o.kl_coefficient, "What a nat of divergence from the fine-tuned model costs at first, and at least")
            ->check(CLI::PositiveNumber);
        add("kl-target", o.kl_target, "Nats a completion that the coefficient is steered towards")
            ->check(CLI::PositiveNumber);
        add("kl-horizon", o.kl_horizon, "Completions in which it changes by a fifth at most")
            ->check(CLI::PositiveNumber);
    }
    if (groups.dpo) {
        add("dpo-epochs", o.dpo_epochs, "Times that DPO sees all pairs")->check(CLI::PositiveNumber);
        add("dpo-rate", o.dpo_rate, "Highest learning rate of the adapter")->check(CLI::PositiveNumber);
        add("beta", o.beta, "How dear it is to DPO to leave the reference")->check(CLI::PositiveNumber);
    }
    if (groups.scores) {
        app.add_option(
               "--score", o.scored,
               "Instead of a report: the rewards of these completions of --prompt, by the reward model of --out, "
               "which is trained if it is not there; 0 is the mean of what the fine-tuned model says")
            ->expected(1, -1);
        app.add_option("--prompt", o.prompt, "The prompt of the completions to score")->needs("--score");
        app.get_option("--score")->needs("--prompt");
    }
    add("tests", o.tests, "Held-out prompts that all models complete at the end")->check(CLI::PositiveNumber);
    add("samples", o.samples, "Completions to show of each model");
    add("seed", o.seed, "Seed of first weights, orders and draws");
    if (groups.seeds)
        add("seeds", o.seeds, "Runs, with seeds from --seed on, each in a folder of its own below --out")
            ->check(CLI::PositiveNumber);
    add("threads", o.threads, "Threads; the numbers do not depend on it")->check(CLI::PositiveNumber);
    app.add_option("--stop-after", o.stop_after, "Save and stop after so many steps, as Ctrl-C would; 0: never")
        ->capture_default_str();
    app.add_flag("--fresh", o.fresh, "Begin anew: leave out what is done in --out");
    app.footer(
        "Ctrl-C saves a checkpoint and ends with code 130. The same command goes on, and ends with the same numbers as "
        "a run that was never interrupted.");
}

}  // namespace alignment
