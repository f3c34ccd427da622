// SPDX-License-Identifier: MIT
// simd: everything of the floor of registers.
#pragma once

#include <tenet/simd/activation.hpp>
#include <tenet/simd/batch.hpp>
#include <tenet/simd/bf16.hpp>
#include <tenet/simd/bits.hpp>
#include <tenet/simd/bytes.hpp>
#include <tenet/simd/compare.hpp>
#include <tenet/simd/convert.hpp>
#include <tenet/simd/erf.hpp>
#include <tenet/simd/exp.hpp>
#include <tenet/simd/int8.hpp>
#include <tenet/simd/log.hpp>
#include <tenet/simd/lookup.hpp>
#include <tenet/simd/math.hpp>
#include <tenet/simd/pow.hpp>
#include <tenet/simd/quads.hpp>
#include <tenet/simd/reduce.hpp>
#include <tenet/simd/scale.hpp>
#include <tenet/simd/tiles.hpp>
#include <tenet/simd/transpose.hpp>
