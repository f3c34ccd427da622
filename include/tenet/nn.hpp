// SPDX-License-Identifier: MIT
// nn: everything of the floor.
#pragma once

#include <tenet/nn/activation.hpp>
#include <tenet/nn/axes_argument.hpp>
#include <tenet/nn/causal_self_attention.hpp>
#include <tenet/nn/dropout.hpp>
#include <tenet/nn/embedding.hpp>
#include <tenet/nn/feed_forward.hpp>
#include <tenet/nn/grouped_query_attention.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/nn/layer_norm.hpp>
#include <tenet/nn/linear.hpp>
#include <tenet/nn/rms_norm.hpp>
#include <tenet/nn/swiglu.hpp>
#include <tenet/nn/transformer_block.hpp>
