// SPDX-License-Identifier: MIT
// parallel: everything of the floor of threads.
#pragma once

#include <tenet/parallel/parallel_for.hpp>
