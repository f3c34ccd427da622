// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <CLI/CLI.hpp>

#include "model.hpp"

namespace adaptation {

void add_options(CLI::App& app, options& o) {
    const auto add = [&](std::string const& name, auto& value, std::string const& help) {
        return app.add_option("--" + name, value, help)->capture_default_str();
    };
    app.add_option("--text", o.text, "The old text: what the base is trained on")->required()->check(CLI::ExistingFile);
    app.add_option("--data", o.data,
                   "What to adapt to: another text, or instructions (a name that ends in .jsonl): objects with "
                   "instruction, input, output; or prompt, output; or messages. Default: tasks made of the old text "
                   "by rule")
        ->check(CLI::ExistingFile);
    add("out", o.out, "Folder for checkpoints, metrics.jsonl, table.md and loss.svg");
    app.add_option("--base", o.base, "Folder of an earlier run, whose base is taken instead of training one")
        ->check(CLI::ExistingDirectory);
    add("template", o.shape,
        "Text around a task: short, alpaca, chatml, or a file with {instruction}, {input} and perhaps {history}");
    app.add_flag("--packing", o.packing, "Several short tasks in a row, one after the other (default: padding)");
    add("base-steps", o.base_steps, "Steps of the base's training")->check(CLI::PositiveNumber);
    add("steps", o.steps, "Steps of each adaptation")->check(CLI::PositiveNumber);
    add("batch", o.batch, "Rows of 128 bytes a batch")->check(CLI::Range(std::size_t{1}, Batch::capacity));
    add("accumulate", o.accumulate, "Batches a step")->check(CLI::PositiveNumber);
    add("base-rate", o.base_rate, "Highest learning rate of the base")->check(CLI::PositiveNumber);
    add("rate", o.rate, "Highest learning rate of full fine-tuning")->check(CLI::PositiveNumber);
    add("adapter-rate", o.adapter_rate, "Highest learning rate of adapters")->check(CLI::PositiveNumber);
    add("clip", o.clip, "Greatest norm of the gradients; 0: no limit")->check(CLI::NonNegativeNumber);
    add("evaluations", o.evaluations, "How often each training is evaluated and saved")->check(CLI::PositiveNumber);
    add("seed", o.seed, "Seed of first weights and batches");
    add("threads", o.threads, "Threads; the numbers do not depend on it")->check(CLI::PositiveNumber);
    app.add_option("--stop-after", o.stop_after, "Save and stop after so many steps in all, as Ctrl-C would; 0: never")
        ->capture_default_str();
    app.add_flag("--resume", o.resume,
                 "Continue the run in --out, with the same options: it ends with the same weights as one that was "
                 "never interrupted");
    app.footer("Ctrl-C saves a checkpoint and ends with code 130.");
}

}  // namespace adaptation
