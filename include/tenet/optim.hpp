// SPDX-License-Identifier: MIT
// optim: everything of the floor.
#pragma once

#include <tenet/optim/adamw.hpp>
#include <tenet/optim/adamw_8bit.hpp>
#include <tenet/optim/clip.hpp>
#include <tenet/optim/gradient_accumulator.hpp>
#include <tenet/optim/optimizer.hpp>
#include <tenet/optim/schedule.hpp>
#include <tenet/optim/sgd.hpp>
#include <tenet/optim/trainable.hpp>
