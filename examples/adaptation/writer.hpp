// SPDX-License-Identifier: MIT
// Answers of a model in memory, behind a plain interface: only writer.cpp compiles the program.
#pragma once

#include <string>
#include <vector>

#include "data_set.hpp"

namespace adaptation {

/// The likeliest continuations of the tasks' prompts, up to the end of text.
std::vector<std::string> written_answers(parameters<model> const& theta, std::vector<held_out_task> const& tasks);

}  // namespace adaptation
