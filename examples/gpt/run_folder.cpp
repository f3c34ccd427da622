// SPDX-License-Identifier: MIT
#include "run_folder.hpp"

#include <charconv>
#include <cstdio>

#include <tenet/io/checkpoint.hpp>
#include <tenet/nn/init.hpp>

namespace gpt {
namespace {

// One list of the settings for both directions.
template <class Settings, class F>
void for_settings(Settings& s, F const& f) {
    f("steps", s.steps), f("batch", s.batch), f("warmup", s.warmup);
    f("lr", s.rate), f("min-lr", s.minimum_rate);
    f("beta1", s.beta1), f("beta2", s.beta2), f("weight-decay", s.weight_decay), f("clip", s.clip);
    f("seed", s.seed), f("eval-interval", s.evaluation_interval);
}

std::string model_text() {
    const auto n = [](std::size_t i) { return std::to_string(i); };
    return "layers " + std::to_string(layers) + ", heads " + n(Heads::capacity) + ", width " + n(Embed::capacity) +
           ", hidden " + n(Hidden::capacity) + ", block " + n(Time::capacity) + ", classes " + n(Vocab::capacity);
}

std::string const& entry(checkpoint_metadata const& metadata, std::filesystem::path const& path, char const* key) {
    const auto found = metadata.find(key);
    if (found == metadata.end())
        fail_expectation(path.string(), "a checkpoint of gpt, with \"" + std::string(key) + "\" in its metadata",
                         "none");
    return found->second;
}

}  // namespace

std::map<std::string, std::string> to_text(run_settings const& settings) {
    std::map<std::string, std::string> text;
    for_settings(settings, [&](char const* name, auto value) {
        char digits[40];
        text[name] = std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    });
    text["precision"] = settings.precision;
    return text;
}

run_settings settings_from_text(std::map<std::string, std::string> const& text) {
    run_settings settings;
    for_settings(settings, [&](char const* name, auto& value) {
        const auto found = text.find(name);
        const std::string given = found == text.end() ? "none" : found->second;
        if (std::from_chars(given.data(), given.data() + given.size(), value).ptr != given.data() + given.size())
            fail_expectation("checkpoint", "a number for the setting \"" + std::string(name) + "\"", given);
    });
    const auto precision = text.find("precision");  // files of before there was a choice have none
    if (precision != text.end()) settings.precision = precision->second;
    return settings;
}

std::string fingerprint(std::string_view text) {
    char out[64];
    std::snprintf(out, sizeof out, "%zu bytes, %016llx", text.size(),
                  static_cast<unsigned long long>(init::stream_of(text)));
    return out;
}

std::filesystem::path checkpoint_path(std::filesystem::path const& folder) {
    return folder / "model.safetensors";
}

void save_run(std::filesystem::path const& folder, parameters<model>& theta, std::vector<named_array> const& optimizer,
              run_state const& state) {
    checkpoint_metadata metadata = to_text(state.settings);
    metadata["model"] = model_text();
    metadata["vocabulary"] = state.tokenizer.to_string();
    metadata["text"] = state.text;
    metadata["step"] = std::to_string(state.step);
    save_checkpoint(checkpoint_path(folder), theta, optimizer, metadata);
}

run_state read_run(std::filesystem::path const& folder) {
    const std::filesystem::path path = checkpoint_path(folder);
    const checkpoint_metadata metadata = read_checkpoint_metadata(path);
    if (entry(metadata, path, "model") != model_text())
        fail_expectation(path.string(), "a model with " + model_text(), entry(metadata, path, "model"));
    return {settings_from_text(metadata), char_tokenizer::from_string(entry(metadata, path, "vocabulary")),
            entry(metadata, path, "text"), static_cast<std::size_t>(std::stoull(entry(metadata, path, "step")))};
}

void load_weights(std::filesystem::path const& folder, parameters<model>& theta,
                  std::vector<named_array> const& optimizer) {
    load_checkpoint(checkpoint_path(folder), theta, optimizer);
}

}  // namespace gpt
