// SPDX-License-Identifier: MIT
// op: everything of the floor.
#pragma once

#include <tenet/op/apply.hpp>

#include <tenet/op/activation.hpp>
#include <tenet/op/adapter.hpp>
#include <tenet/op/arithmetic.hpp>
#include <tenet/op/attention.hpp>
#include <tenet/op/attention_nodes.hpp>
#include <tenet/op/cache.hpp>
#include <tenet/op/cast.hpp>
#include <tenet/op/comparison.hpp>
#include <tenet/op/concat.hpp>
#include <tenet/op/cross_entropy.hpp>
#include <tenet/op/custom.hpp>
#include <tenet/op/dot.hpp>
#include <tenet/op/dropout.hpp>
#include <tenet/op/elementwise.hpp>
#include <tenet/op/exponential.hpp>
#include <tenet/op/extremum.hpp>
#include <tenet/op/gather.hpp>
#include <tenet/op/layer_norm.hpp>
#include <tenet/op/module.hpp>
#include <tenet/op/normalization.hpp>
#include <tenet/op/parameter.hpp>
#include <tenet/op/rearrange.hpp>
#include <tenet/op/reduce.hpp>
#include <tenet/op/results.hpp>
#include <tenet/op/rms_norm.hpp>
#include <tenet/op/rotary.hpp>
#include <tenet/op/softmax.hpp>
#include <tenet/op/symbol.hpp>
#include <tenet/op/trigonometric.hpp>
