// SPDX-License-Identifier: MIT
// interop: the operations and gradients of expressions on tensors, so that code which lives in xtensor needs one
// include, <tenet/interop.hpp>, to have gradients.
#pragma once

#include <tenet/op/activation.hpp>
#include <tenet/op/arithmetic.hpp>
#include <tenet/op/cast.hpp>
#include <tenet/op/comparison.hpp>
#include <tenet/op/cross_entropy.hpp>
#include <tenet/op/dot.hpp>
#include <tenet/op/exponential.hpp>
#include <tenet/op/extremum.hpp>
#include <tenet/op/gather.hpp>
#include <tenet/op/layer_norm.hpp>
#include <tenet/op/rearrange.hpp>
#include <tenet/op/reduce.hpp>
#include <tenet/op/rms_norm.hpp>
#include <tenet/op/softmax.hpp>
#include <tenet/op/trigonometric.hpp>
#include <tenet/program/expression.hpp>
#include <tenet/program/expression_gradients.hpp>
