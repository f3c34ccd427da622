// SPDX-License-Identifier: MIT
// interop: everything of the floor. It includes all of the xtensor that the outside face needs, and is therefore not
// part of tenet/tenet.hpp.
#pragma once

#include <tenet/interop/compare.hpp>
#include <tenet/interop/convert.hpp>
#include <tenet/interop/expressions.hpp>
#include <tenet/interop/npy.hpp>
#include <tenet/interop/npy_array.hpp>
#include <tenet/interop/npz.hpp>
#include <tenet/interop/npz_writer.hpp>
#include <tenet/interop/print.hpp>
#include <tenet/interop/view.hpp>
#include <tenet/interop/xtensor.hpp>
