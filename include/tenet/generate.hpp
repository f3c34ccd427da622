// SPDX-License-Identifier: MIT
// generate: everything of the floor.
#pragma once

#include <tenet/generate/cached_step.hpp>
#include <tenet/generate/generator.hpp>
#include <tenet/generate/options.hpp>
#include <tenet/generate/perplexity.hpp>
#include <tenet/generate/sampler.hpp>
#include <tenet/generate/stop_sequences.hpp>
