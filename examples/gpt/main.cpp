// SPDX-License-Identifier: MIT
// gpt train | sample | eval: a character-level GPT on any text.
#include <cstdio>
#include <exception>
#include <thread>

#include <CLI/CLI.hpp>
#include <tenet/parallel/threads.hpp>

#include "commands.hpp"

namespace {

void add_train(CLI::App& app, gpt::train_options& o) {
    app.add_option("--text", o.text, "The text to learn: nine tenths to train on, the rest to validate")
        ->required()
        ->check(CLI::ExistingFile);
    app.add_option("--out", o.out, "Folder for model.safetensors, metrics.jsonl and loss.svg")->capture_default_str();
    gpt::run_settings& s = o.settings;
    const auto setting = [&](std::string const& name, auto& value, std::string const& help) {
        return app.add_option("--" + name, value, help)->capture_default_str()->each([&o, name](std::string const&) {
            o.given.insert(name);
        });
    };
    setting("steps", s.steps, "Steps of the whole run; the learning rate ends with them")->check(CLI::PositiveNumber);
    setting("batch", s.batch, "Windows of 64 characters a step")->check(CLI::Range(std::size_t{1}, std::size_t{16}));
    setting("lr", s.rate, "Highest learning rate")->check(CLI::PositiveNumber);
    setting("min-lr", s.minimum_rate, "Learning rate at the end of the cosine")->check(CLI::NonNegativeNumber);
    setting("warmup", s.warmup, "Steps in which the learning rate rises");
    setting("beta1", s.beta1, "AdamW's beta1")->check(CLI::Range(0.0, 0.9999999));
    setting("beta2", s.beta2, "AdamW's beta2")->check(CLI::Range(0.0, 0.9999999));
    setting("weight-decay", s.weight_decay, "AdamW's decay of matrices and tables")->check(CLI::NonNegativeNumber);
    setting("clip", s.clip, "Greatest norm of the gradients; 0: no limit")->check(CLI::NonNegativeNumber);
    setting("seed", s.seed, "Seed of the first weights and of the batches");
    setting("precision", s.precision,
            "float, or bfloat16: what matrix products round their operands to in training; weights are float")
        ->check(CLI::IsMember({"float", "bfloat16"}));
    setting("eval-interval", s.evaluation_interval, "Steps between evaluations, each with a checkpoint")
        ->check(CLI::PositiveNumber);
    app.add_option("--stop-after", o.stop_after, "Save and stop at this step, as Ctrl-C would; 0: never")
        ->capture_default_str();
    app.add_flag(
        "--resume", o.resume,
        "Continue the run in --out: it ends with the same bits as one that was never interrupted. Settings that "
        "are not given are the run's own");
    app.footer(
        "Ctrl-C saves a checkpoint and ends with code 130. The model has no dropout: its rate would be part of "
        "the compiled program (examples/gpt/model.hpp).");
}

void add_sample(CLI::App& app, gpt::sample_options& o) {
    app.add_option("--out", o.out, "Folder of the run")->capture_default_str();
    app.add_option("--prompt", o.prompt, "Text to continue; default: a line break")->default_str("");
    app.add_option("--tokens", o.tokens, "Characters to write")->capture_default_str();
    app.add_option("--temperature", o.temperature, "Below 1 bolder choices get rarer; 0: always the likeliest")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    app.add_option("--top-k", o.top_k, "Choose among the k likeliest characters; 0: all")->capture_default_str();
    app.add_option("--seed", o.seed, "Seed of the choices")->capture_default_str();
}

void add_eval(CLI::App& app, gpt::eval_options& o) {
    app.add_option("--text", o.text, "The text to measure")->required()->check(CLI::ExistingFile);
    app.add_option("--out", o.out, "Folder of the run")->capture_default_str();
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("A character-level GPT: 4 layers, 4 heads, 128 wide, 64 characters of context.", "gpt");
    app.require_subcommand(1);
    int count = static_cast<int>(std::thread::hardware_concurrency());
    gpt::train_options train;
    gpt::sample_options sample;
    gpt::eval_options eval;
    CLI::App* const train_command = app.add_subcommand("train", "Train on a text, and show a sample");
    CLI::App* const sample_command = app.add_subcommand("sample", "Write text with a trained model");
    CLI::App* const eval_command = app.add_subcommand("eval", "Loss and perplexity of a text");
    add_train(*train_command, train);
    add_sample(*sample_command, sample);
    add_eval(*eval_command, eval);
    for (CLI::App* command : {train_command, sample_command, eval_command})
        command->add_option("--threads", count, "Threads; the numbers do not depend on it")
            ->capture_default_str()
            ->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    try {
        tenet::threads pool(count);
        return pool.run([&] {
            if (*train_command) return gpt::train(train);
            if (*sample_command) return gpt::sample(sample);
            return gpt::eval(eval);
        });
    } catch (std::exception const& e) {
        std::fprintf(stderr, "gpt: %s\n", e.what());
        return 1;
    }
}
