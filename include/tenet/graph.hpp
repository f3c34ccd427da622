// SPDX-License-Identifier: MIT
// graph: everything of the floor.
#pragma once

#include <tenet/graph/arena_layout.hpp>
#include <tenet/graph/arithmetic.hpp>
#include <tenet/graph/builder.hpp>
#include <tenet/graph/contract.hpp>
#include <tenet/graph/contraction.hpp>
#include <tenet/graph/cost.hpp>
#include <tenet/graph/cotangent.hpp>
#include <tenet/graph/dequantize.hpp>
#include <tenet/graph/differentiate.hpp>
#include <tenet/graph/elementwise.hpp>
#include <tenet/graph/extent_product.hpp>
#include <tenet/graph/fuse.hpp>
#include <tenet/graph/geometry.hpp>
#include <tenet/graph/in_place.hpp>
#include <tenet/graph/node.hpp>
#include <tenet/graph/place.hpp>
#include <tenet/graph/plan.hpp>
#include <tenet/graph/planner.hpp>
#include <tenet/graph/prune.hpp>
#include <tenet/graph/rearrange.hpp>
#include <tenet/graph/recompute.hpp>
#include <tenet/graph/reduction.hpp>
#include <tenet/graph/reverse_sweep.hpp>
#include <tenet/graph/schedule.hpp>
#include <tenet/graph/value.hpp>
