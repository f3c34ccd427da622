// SPDX-License-Identifier: MIT
// The whole library but the outside face (tenet/interop.hpp), floor by floor.
#pragma once

#include <tenet/base.hpp>
#include <tenet/parallel.hpp>
#include <tenet/simd.hpp>
#include <tenet/tensor.hpp>
