// SPDX-License-Identifier: MIT
// What nearly all cases include, compiled once for each compiler. Files, text and checkpoints are not here: g++
// instantiates what their functions use again in every case, which takes ten times as long as the case itself.
#pragma once

#include <tenet/op.hpp>

#include <tenet/nn.hpp>
#include <tenet/program.hpp>
