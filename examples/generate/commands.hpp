// SPDX-License-Identifier: MIT
// The two things that the program does. Each returns the exit code.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <tenet/generate/options.hpp>

#include "language_model.hpp"

namespace generate {

/// Which model, and how its tokens are read.
struct model_options {
    std::filesystem::path weights, tokenizer, merges;
    std::string family;
};

struct write_options {
    model_options model;
    std::vector<std::string> prompts, ids;  ///< texts, or tokens with spaces between
    std::vector<std::string> stop, stop_ids;
    tenet::generation_options generation;
    bool stream = false, ignore_end = false, slide = false, quiet = false;
};
int write(write_options const& options);

struct perplexity_options {
    model_options model;
    std::filesystem::path text;
    std::string ids;
    window_options window;
};
int perplexity(perplexity_options const& options);

}  // namespace generate
