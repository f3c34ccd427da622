// SPDX-License-Identifier: MIT
#include "stage.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>

#include <tenet/io/checkpoint.hpp>
#include <tenet/io/progress.hpp>
#include <tenet/optim/schedule.hpp>

namespace adaptation {
namespace {

std::filesystem::path checkpoint_of(options const& o, stage const& s) {
    return o.out / (s.name + ".safetensors");
}
std::filesystem::path best_of(options const& o, stage const& s) {
    return o.out / (s.name + ".best.safetensors");
}

std::string digits(double x) {
    char out[40];
    return {out, std::to_chars(out, out + sizeof out, x).ptr};
}

void save(options const& o, stage const& s, tuner& t, stage_state const& state) {
    safetensors::write(checkpoint_of(o, s), t.state(),
                       {{"settings", s.settings},
                        {"step", std::to_string(state.step)},
                        {"best_step", std::to_string(state.best_step)},
                        {"best_loss", digits(state.best_loss)},
                        {"seconds", digits(state.seconds)}});
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

double number(checkpoint_metadata const& metadata, std::filesystem::path const& path, char const* key) {
    const auto found = metadata.find(key);
    if (found == metadata.end())
        fail_expectation(path.string(), "a checkpoint with \"" + std::string(key) + "\" in its metadata", "none");
    return std::strtod(found->second.c_str(), nullptr);
}

}  // namespace

run_log::run_log(std::filesystem::path const& folder, std::size_t kept)
    : rows_(folder / "metrics.jsonl", json_lines_cut{"step", static_cast<std::int64_t>(kept) + 1}) {
    std::ifstream file(folder / "metrics.jsonl");
    for (std::string line; std::getline(file, line);) {
        const auto row = nlohmann::json::parse(line, nullptr, false);
        if (!row.contains("new_loss")) continue;
        curve& c = curves_[row["stage"]];
        c.step.push_back(row["stage_step"]);
        c.new_loss.push_back(row["new_loss"].is_number() ? row["new_loss"].get<double>() : NAN);
        c.old_loss.push_back(row["old_loss"].is_number() ? row["old_loss"].get<double>() : NAN);
    }
}

void run_log::trained(stage const& s, std::size_t step, step_outcome const& outcome, double rate) {
    rows_.append(nlohmann::ordered_json{{"step", s.first + step},
                                        {"stage", s.name},
                                        {"loss", outcome.loss},
                                        {"lr", rate},
                                        {"gradient_norm", outcome.gradient_norm}});
}

void run_log::evaluated(stage const& s, std::size_t step, double new_loss, double old_loss) {
    rows_.append(nlohmann::ordered_json{{"step", s.first + step},
                                        {"stage", s.name},
                                        {"stage_step", step},
                                        {"new_loss", new_loss},
                                        {"perplexity", std::exp(new_loss)},
                                        {"old_loss", old_loss}});
    curve& c = curves_[s.name];
    c.step.push_back(static_cast<double>(step));
    c.new_loss.push_back(new_loss);
    c.old_loss.push_back(old_loss);
}

stage_state saved_state(options const& o, stage const& s) {
    const std::filesystem::path path = checkpoint_of(o, s);
    if (!std::filesystem::exists(path)) return {};
    const checkpoint_metadata metadata = read_checkpoint_metadata(path);
    const auto settings = metadata.find("settings");
    if (settings == metadata.end() || settings->second != s.settings)
        fail_expectation("--resume: " + path.string(), s.settings,
                         settings == metadata.end() ? "no settings" : settings->second);
    stage_state state;
    state.step = static_cast<std::size_t>(number(metadata, path, "step"));
    state.best_step = static_cast<std::size_t>(number(metadata, path, "best_step"));
    state.best_loss = number(metadata, path, "best_loss");
    state.seconds = number(metadata, path, "seconds");
    return state;
}

stage_state run_stage(run_parts const& run, stage const& s, tuner& t, std::function<void()> const& shown) {
    options const& o = run.o;
    stage_state state = saved_state(o, s);
    if (state.step > 0 && state.step < s.steps) safetensors::load(safetensors::reader(checkpoint_of(o, s)), t.state());
    const auto peak = static_cast<float>(s.rate);
    const schedule::cosine rate{peak, peak / 10, s.steps / 20, s.steps};
    const std::size_t interval = std::max<std::size_t>(1, s.steps / o.evaluations);
    std::vector<rows> batches(o.accumulate, rows(completion_options{.pad = end_of_text}, o.batch));
    double smooth = NAN;
    std::vector<double> seconds;
    if (state.step < s.steps) {
        progress bar(s.steps, state.step);
        while (state.step < s.steps && !run.guard.interrupted() &&
               (o.stop_after == 0 || s.first + state.step < o.stop_after)) {
            for (std::size_t k = 0; k < o.accumulate; ++k) s.data->fill(batches[k], state.step * o.accumulate + k);
            const double step_rate = rate(state.step);
            const auto start = std::chrono::steady_clock::now();
            const step_outcome outcome = t.step(batches, step_rate, o.clip);
            seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
            ++state.step;
            run.log.trained(s, state.step, outcome, step_rate);
            if (!std::isfinite(outcome.loss))
                fail_expectation(s.name + ", step " + std::to_string(state.step), "a finite loss (try a lower rate)",
                                 std::to_string(outcome.loss));
            smooth = std::isnan(smooth) ? outcome.loss : 0.95 * smooth + 0.05 * outcome.loss;
            char text[120];
            std::snprintf(text, sizeof text, "%s: loss %.3f", s.name.c_str(), smooth);
            bar.update(state.step, text);
            if (state.step % interval != 0 && state.step != s.steps) continue;
            const parameters<model> weights = t.weights();
            const double loss = run.measure.loss(weights, s.data->validation());
            const bool on_old = s.data == &run.old_data;
            run.log.evaluated(s, state.step, loss,
                              on_old ? loss : run.measure.loss(weights, run.old_data.validation()));
            if (loss < state.best_loss) {
                state.best_loss = loss;
                state.best_step = state.step;
                safetensors::write(best_of(o, s), t.state());
            }
            state.seconds = median(seconds);
            save(o, s, t, state);
            std::snprintf(text, sizeof text, "%s: loss %.3f  validation %.3f", s.name.c_str(), smooth, loss);
            bar.update(state.step, text);
            if (shown) {
                bar.finish();
                shown();
            }
        }
    }
    if (state.step < s.steps) {
        if (!seconds.empty()) state.seconds = median(seconds);
        save(o, s, t, state);
        std::fprintf(stderr, "stopped at step %zu of %zu of %s; continue with --resume\n", state.step, s.steps,
                     s.name.c_str());
        return state;
    }
    safetensors::load(safetensors::reader(best_of(o, s)), t.state());
    return state;
}

}  // namespace adaptation
