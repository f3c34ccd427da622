// SPDX-License-Identifier: MIT
// What a run keeps in its folder: the checkpoint with all that continues it, metrics and the loss curve.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <tenet/text/char_tokenizer.hpp>

#include "commands.hpp"
#include "model.hpp"

namespace gpt {

/// By the options' names, in digits that read back as the same numbers.
std::map<std::string, std::string> to_text(run_settings const& settings);
run_settings settings_from_text(std::map<std::string, std::string> const& text);

/// What a checkpoint says of its run.
struct run_state {
    run_settings settings;
    tenet::char_tokenizer tokenizer;
    std::string text;  ///< size and hash of the text trained on
    std::size_t step = 0;
};

/// "1115394 bytes, 3e5a..." : enough to notice that a run is resumed with another text.
std::string fingerprint(std::string_view text);

std::filesystem::path checkpoint_path(std::filesystem::path const& folder);

/// Writes folder/model.safetensors, whole or not at all.
void save_run(std::filesystem::path const& folder, parameters<model>& theta, std::vector<named_array> const& optimizer,
              run_state const& state);

/// What the folder's checkpoint says of itself; throws if it is of another model.
run_state read_run(std::filesystem::path const& folder);

/// Its numbers; the optimiser's only if arrays for them are given.
void load_weights(std::filesystem::path const& folder, parameters<model>& theta,
                  std::vector<named_array> const& optimizer = {});

}  // namespace gpt
