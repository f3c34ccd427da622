// SPDX-License-Identifier: MIT
// parallel: everything of the floor of threads.
#pragma once

#include <tenet/parallel/cpu.hpp>
#include <tenet/parallel/ordered_reduce.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/parallel/team.hpp>
#include <tenet/parallel/threads.hpp>
