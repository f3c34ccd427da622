// SPDX-License-Identifier: MIT
// models: everything of the floor.
#pragma once

#include <tenet/models/gpt2.hpp>
#include <tenet/models/gpt2_files.hpp>
#include <tenet/models/llama.hpp>
#include <tenet/models/llama_files.hpp>
