// SPDX-License-Identifier: MIT
// The whole library but the outside face, which is tenet/interop.hpp.
#pragma once

#include <tenet/op.hpp>

#include <tenet/adapt.hpp>
#include <tenet/align.hpp>
#include <tenet/base.hpp>
#include <tenet/data.hpp>
#include <tenet/generate.hpp>
#include <tenet/graph.hpp>
#include <tenet/io.hpp>
#include <tenet/kernel.hpp>
#include <tenet/models.hpp>
#include <tenet/nn.hpp>
#include <tenet/optim.hpp>
#include <tenet/parallel.hpp>
#include <tenet/program.hpp>
#include <tenet/shape.hpp>
#include <tenet/simd.hpp>
#include <tenet/tensor.hpp>
#include <tenet/text.hpp>
