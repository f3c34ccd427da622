// SPDX-License-Identifier: MIT
// adapt: everything of the floor.
#pragma once

#include <tenet/adapt/adapter_files.hpp>
#include <tenet/adapt/adapter_set.hpp>
#include <tenet/adapt/lora.hpp>
#include <tenet/adapt/lora_init.hpp>
#include <tenet/adapt/low_rank.hpp>
#include <tenet/adapt/merge.hpp>
#include <tenet/adapt/quantize.hpp>
#include <tenet/adapt/quantized.hpp>
#include <tenet/adapt/quantized_files.hpp>
#include <tenet/adapt/targets.hpp>
