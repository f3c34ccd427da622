// SPDX-License-Identifier: MIT
// program: everything of the floor.
#pragma once

#include <tenet/program/adapter.hpp>
#include <tenet/program/context.hpp>
#include <tenet/program/describe.hpp>
#include <tenet/program/draw.hpp>
#include <tenet/program/epilogue.hpp>
#include <tenet/program/execute.hpp>
#include <tenet/program/execute_attention.hpp>
#include <tenet/program/execute_move.hpp>
#include <tenet/program/execute_product.hpp>
#include <tenet/program/execute_rows.hpp>
#include <tenet/program/expression.hpp>
#include <tenet/program/expression_gradients.hpp>
#include <tenet/program/expression_leaves.hpp>
#include <tenet/program/expression_program.hpp>
#include <tenet/program/extents.hpp>
#include <tenet/program/group.hpp>
#include <tenet/program/group_loop.hpp>
#include <tenet/program/group_table.hpp>
#include <tenet/program/image.hpp>
#include <tenet/program/layout.hpp>
#include <tenet/program/node_access.hpp>
#include <tenet/program/parameter_role.hpp>
#include <tenet/program/parameters.hpp>
#include <tenet/program/plan_cards.hpp>
#include <tenet/program/precision.hpp>
#include <tenet/program/problem.hpp>
#include <tenet/program/program.hpp>
#include <tenet/program/rounding.hpp>
#include <tenet/program/spec.hpp>
#include <tenet/program/state.hpp>
#include <tenet/program/steps.hpp>
#include <tenet/program/tap.hpp>
#include <tenet/program/trace.hpp>
