// SPDX-License-Identifier: MIT
// simd: everything of the floor of registers.
#pragma once

#include <tenet/simd/batch.hpp>
