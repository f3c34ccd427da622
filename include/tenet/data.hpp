// SPDX-License-Identifier: MIT
// data: everything that feeds a training.
#pragma once

#include <tenet/data/completion_batch.hpp>
#include <tenet/data/completion_targets.hpp>
#include <tenet/data/instruction_data.hpp>
#include <tenet/data/json_line.hpp>
#include <tenet/data/mismatched_rows.hpp>
#include <tenet/data/packed_rows.hpp>
#include <tenet/data/preference_batch.hpp>
#include <tenet/data/preference_data.hpp>
#include <tenet/data/text_corpus.hpp>
#include <tenet/data/token_windows.hpp>
