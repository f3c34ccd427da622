// SPDX-License-Identifier: MIT
// optim: everything of the floor.
#pragma once

#include <tenet/optim/schedule.hpp>
