// SPDX-License-Identifier: MIT
// Text from a model in memory, behind a plain interface: only writer.cpp compiles the program.
#pragma once

#include <string>

#include <tenet/text/char_tokenizer.hpp>

#include "commands.hpp"
#include "model.hpp"

namespace gpt {

/// The prompt and its continuation: what `gpt sample` prints.
std::string write_text(parameters<model> const& theta, char_tokenizer const& tokenizer, sample_options const& options);

}  // namespace gpt
