// SPDX-License-Identifier: MIT
// shape: everything of the floor.
#pragma once

#include <tenet/shape/axes.hpp>
#include <tenet/shape/axis.hpp>
#include <tenet/shape/broadcast.hpp>
#include <tenet/shape/contraction.hpp>
#include <tenet/shape/rearrange.hpp>
#include <tenet/shape/reduction.hpp>
#include <tenet/shape/sequence.hpp>
