// SPDX-License-Identifier: MIT
#include "stage.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <utility>

#include <tenet/io/atomic_file.hpp>
#include <tenet/io/checkpoint.hpp>
#include <tenet/io/json_lines.hpp>
#include <tenet/io/mapped_file.hpp>
#include <tenet/io/progress.hpp>

namespace alignment {
namespace {

using namespace tenet;

constexpr std::chrono::seconds between_saves{30};

[[noreturn]] void fail_settings(std::filesystem::path const& path, std::string const& wanted,
                                std::string const& found) {
    fail_expectation(path.string() + " (--fresh begins anew; another --out is another run)", "settings " + wanted,
                     found);
}

std::string line_of(stage const& s, nlohmann::ordered_json const& row) {
    std::string text = s.name + ":";
    for (std::string const& key : s.shown) {
        if (!row.contains(key) || !row[key].is_number()) continue;
        char number[60];
        std::snprintf(number, sizeof number, " %s %.3f", key.c_str(), row[key].get<double>());
        text += number;
    }
    return text;
}

}  // namespace

run_folder::run_folder(std::filesystem::path folder, std::size_t stop_after)
    : folder_(std::move(folder)), stop_after_(stop_after) {
    std::filesystem::create_directories(folder_);
}

bool run_folder::may_go_on() {
    stopped_ = stopped_ || (stop_after_ != 0 && done_ >= stop_after_);
    return !interrupted();
}

std::size_t run_folder::saved_step(stage const& s) const {
    const std::filesystem::path path = checkpoint(s.name);
    if (!std::filesystem::exists(path)) return 0;
    checkpoint_metadata metadata = read_checkpoint_metadata(path);
    if (metadata["settings"] != s.settings) fail_settings(path, s.settings, metadata["settings"]);
    return std::stoull(metadata["step"]);
}

void run_folder::save(stage const& s, stage_work const& work, std::size_t step) const {
    safetensors::write(checkpoint(s.name), work.state, {{"settings", s.settings}, {"step", std::to_string(step)}});
}

bool run_folder::run(stage const& s, stage_work const& work) {
    std::size_t step = saved_step(s);
    if (step > 0) safetensors::load(safetensors::reader(checkpoint(s.name)), work.state);
    if (step >= s.steps) {
        std::fprintf(stderr, "%s: done before\n", s.name.c_str());
        return true;
    }
    json_lines log(folder_ / (s.name + ".jsonl"), json_lines_cut{"step", static_cast<std::int64_t>(step) + 1});
    progress bar(s.steps, step);
    auto saved = std::chrono::steady_clock::now();
    nlohmann::ordered_json shown;
    while (step < s.steps && may_go_on()) {
        nlohmann::ordered_json row{{"step", step + 1}};
        row.update(work.step(step));
        ++step;
        ++done_;
        for (auto const& [key, value] : row.items())
            if (value.is_number_float() && !std::isfinite(value.get<double>()))
                fail_expectation(s.name + ", step " + std::to_string(step) + ", " + key,
                                 "a finite number (try a lower rate)", std::to_string(value.get<double>()));
        log.append(row);
        shown.update(row);
        bar.update(step, line_of(s, shown));
        if (step == s.steps && work.at_the_end) work.at_the_end();
        if (step == s.steps || std::chrono::steady_clock::now() - saved > between_saves) {
            save(s, work, step);
            saved = std::chrono::steady_clock::now();
        }
    }
    bar.finish();
    if (step == s.steps) return true;
    save(s, work, step);
    std::fprintf(stderr, "stopped at step %zu of %zu of %s; the same command goes on\n", step, s.steps, s.name.c_str());
    return false;
}

bool run_folder::make(std::string const& name, std::string const& settings, std::function<bool()> const& make) {
    const std::filesystem::path path = folder_ / (name + ".done");
    if (std::filesystem::exists(path)) {
        const mapped_file file(path);
        if (file.text() != settings) fail_settings(path, settings, std::string(file.text()));
        return true;
    }
    if (!may_go_on() || !make()) {
        std::fprintf(stderr, "stopped before %s were complete; the same command goes on\n", name.c_str());
        return false;
    }
    atomic_file file(path);
    file.write(settings);
    file.commit();
    return true;
}

curve run_folder::of(std::string const& stage, std::string const& key) const {
    curve c;
    std::ifstream file(folder_ / (stage + ".jsonl"));
    for (std::string line; std::getline(file, line);) {
        const auto row = nlohmann::json::parse(line, nullptr, false);
        if (!row.contains(key) || !row[key].is_number()) continue;
        c.step.push_back(row["step"]);
        c.value.push_back(row[key]);
    }
    return c;
}

}  // namespace alignment
