// SPDX-License-Identifier: MIT
// The training run: batches, steps, evaluations, checkpoints, metrics. Batches are functions of (seed, step), so that a
// run that was interrupted ends with the same bits as one that was not.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <optional>

#include <tenet/data/text_corpus.hpp>
#include <tenet/data/token_windows.hpp>
#include <tenet/io/interrupt.hpp>
#include <tenet/io/json_lines.hpp>
#include <tenet/io/line_plot.hpp>
#include <tenet/io/mapped_file.hpp>
#include <tenet/io/progress.hpp>
#include <tenet/optim/schedule.hpp>

#include "evaluator.hpp"
#include "run_folder.hpp"
#include "trainer.hpp"
#include "writer.hpp"

namespace gpt {
namespace {

struct curve {
    std::vector<double> step, loss;
    void add(std::size_t s, double l) {
        step.push_back(static_cast<double>(s));
        loss.push_back(l);
    }
};

/// metrics.jsonl, and loss.svg drawn from it.
class run_log {
public:
    run_log(std::filesystem::path const& folder, std::size_t step)
        : folder_(folder), rows_(start(folder, step), json_lines_cut{"step", static_cast<std::int64_t>(step) + 1}) {
        std::ifstream file(folder / "metrics.jsonl");
        for (std::string line; std::getline(file, line);) {
            const auto row = nlohmann::json::parse(line, nullptr, false);
            if (row.contains("loss") && row["loss"].is_number()) train_.add(row["step"], row["loss"]);
            if (row.contains("validation_loss")) validation_.add(row["step"], row["validation_loss"]);
        }
    }
    void trained(std::size_t step, step_outcome const& outcome, double rate, double tokens_per_second) {
        rows_.append(nlohmann::ordered_json{{"step", step},
                                            {"loss", outcome.loss},
                                            {"lr", rate},
                                            {"gradient_norm", outcome.gradient_norm},
                                            {"tokens_per_second", std::round(tokens_per_second)}});
        train_.add(step, outcome.loss);
    }
    void validated(std::size_t step, double loss) {
        rows_.append(nlohmann::ordered_json{{"step", step}, {"validation_loss", loss}});
        validation_.add(step, loss);
        draw();
    }
    void draw() const {
        line_plot plot("Loss");
        plot.x_label = "step";
        plot.y_label = "nats a character";
        plot.add("training", train_.step, train_.loss);
        plot.add("validation", validation_.step, validation_.loss);
        plot.save(folder_ / "loss.svg");
    }

private:
    static std::filesystem::path start(std::filesystem::path const& folder, std::size_t step) {
        const std::filesystem::path path = folder / "metrics.jsonl";
        if (step == 0) std::filesystem::remove(path);
        return path;
    }

    std::filesystem::path folder_;
    json_lines rows_;
    curve train_, validation_;
};

/// The state to begin with: that of the folder's checkpoint, or a fresh one.
run_state begin(train_options const& options, std::string_view text) {
    if (!options.resume) {
        if (options.settings.batch < 1 || options.settings.batch > Batch::capacity)
            fail_expectation("--batch", "1 to " + std::to_string(Batch::capacity),
                             std::to_string(options.settings.batch));
        run_state fresh{options.settings, char_tokenizer::from_text(text), fingerprint(text), 0};
        if (fresh.tokenizer.vocabulary_size() > Vocab::capacity)
            fail_expectation("--text", "at most " + std::to_string(Vocab::capacity) + " different characters",
                             std::to_string(fresh.tokenizer.vocabulary_size()));
        return fresh;
    }
    run_state saved = read_run(options.out);
    if (saved.text != fingerprint(text)) fail_expectation("--resume: the text", saved.text, fingerprint(text));
    const auto was = to_text(saved.settings), now = to_text(options.settings);
    for (std::string const& name : options.given)
        if (name != "eval-interval" && was.at(name) != now.at(name))
            fail_expectation("--resume: --" + name, was.at(name) + " as at the start of the run", now.at(name));
    if (options.given.contains("eval-interval"))
        saved.settings.evaluation_interval = options.settings.evaluation_interval;
    return saved;
}

}  // namespace

int train(train_options const& options) {
    const text_corpus corpus{mapped_file(options.text)};
    run_state run = begin(options, corpus.text());
    run_settings const& s = run.settings;
    const std::vector<std::int32_t> train_tokens = run.tokenizer.encode(corpus.train());
    const std::vector<std::int32_t> validation_tokens = run.tokenizer.encode(corpus.validation());
    if (validation_tokens.size() <= Time::capacity)
        fail_expectation("--text", "at least " + std::to_string(10 * Time::capacity + 10) + " characters",
                         std::to_string(corpus.text().size()));
    const token_windows windows(train_tokens, Time::capacity, s.seed);
    const tensor<float, Vocab> mask = mask_of(run.tokenizer.vocabulary_size());
    const schedule::cosine rate{static_cast<float>(s.rate), static_cast<float>(s.minimum_rate), s.warmup, s.steps};

    std::filesystem::create_directories(options.out);
    parameters<model> theta;
    const optimizer_settings numbers{s.beta1, s.beta2, s.weight_decay, s.clip};
    const std::unique_ptr<trainer> optimise =
        s.precision == "bfloat16" ? bfloat16_trainer(numbers) : float_trainer(numbers);
    evaluator evaluate(run.tokenizer.vocabulary_size());
    if (options.resume) load_weights(options.out, theta, optimise->state());
    else initialize(theta, init::gpt2{}, s.seed);
    const auto save = [&] { save_run(options.out, theta, optimise->state(), run); };

    run_log log(options.out, run.step);
    std::fprintf(stderr, "%zu parameters, %zu characters of text, an alphabet of %zu\n", parameter_count<model>,
                 corpus.text().size(), run.tokenizer.vocabulary_size());
    tensor<std::int32_t, Batch, Time> inputs(extent<Batch>(s.batch)), targets(extent<Batch>(s.batch));
    const std::size_t last = options.stop_after > 0 ? std::min(options.stop_after, s.steps) : s.steps;
    std::optional<double> validation;
    double seconds = 0, smooth = 0;
    std::size_t done = 0;
    interrupt_scope guard;
    progress bar(s.steps, run.step);
    while (run.step < last && !guard.interrupted()) {
        const auto start = std::chrono::steady_clock::now();
        windows.batch(run.step, {inputs.data(), inputs.size()}, {targets.data(), targets.size()});
        const double step_rate = rate(run.step);
        const step_outcome outcome = optimise->step(theta, inputs, targets, mask, step_rate);
        const double time = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        ++run.step;
        seconds += time;
        ++done;
        const auto tokens = static_cast<double>(inputs.size());
        log.trained(run.step, outcome, step_rate, tokens / time);
        if (!std::isfinite(outcome.loss))
            fail_expectation("training, step " + std::to_string(run.step), "a finite loss (try a lower --lr)",
                             std::to_string(outcome.loss));
        smooth = done == 1 ? outcome.loss : 0.98 * smooth + 0.02 * outcome.loss;
        if (run.step % s.evaluation_interval == 0 || run.step == s.steps) {
            validation = evaluate.mean_loss(theta, validation_tokens);
            log.validated(run.step, *validation);
            save();
        }
        char text[120];
        std::snprintf(text, sizeof text, "loss %.3f%s  %.0fk tokens/s", smooth,
                      validation ? ("  validation " + std::to_string(*validation).substr(0, 5)).c_str() : "",
                      tokens * static_cast<double>(done) / seconds / 1000);
        bar.update(run.step, text);
    }
    bar.finish();
    if (run.step < s.steps) {
        save();
        log.draw();
        std::fprintf(stderr, "stopped at step %zu of %zu; continue with --resume\n", run.step, s.steps);
        return guard.interrupted() ? 128 + guard.signal_number() : 0;
    }
    if (!validation) validation = evaluate.mean_loss(theta, validation_tokens);
    if (done > 0)
        std::fprintf(stderr, "%.0f tokens/s in training\n", static_cast<double>(inputs.size() * done) / seconds);
    std::fprintf(stderr, "validation loss %.4f, perplexity %.3f; see %s\n\n", *validation, std::exp(*validation),
                 (options.out / "loss.svg").c_str());
    sample_options shown;
    shown.seed = s.seed;
    shown.tokens = 300;
    if (!run.tokenizer.knows(shown.prompt)) shown.prompt = run.tokenizer.alphabet().substr(0, 1);
    std::printf("%s\n", write_text(theta, run.tokenizer, shown).c_str());
    return 0;
}

}  // namespace gpt
