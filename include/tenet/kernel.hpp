// SPDX-License-Identifier: MIT
// kernel: everything of the floor.
#pragma once

#include <tenet/kernel/argmax.hpp>
#include <tenet/kernel/attention.hpp>
#include <tenet/kernel/attention_backward.hpp>
#include <tenet/kernel/attention_cached.hpp>
#include <tenet/kernel/attention_head.hpp>
#include <tenet/kernel/attention_tile.hpp>
#include <tenet/kernel/copy.hpp>
#include <tenet/kernel/cross_entropy.hpp>
#include <tenet/kernel/dropout.hpp>
#include <tenet/kernel/epilogue.hpp>
#include <tenet/kernel/gather.hpp>
#include <tenet/kernel/gemm.hpp>
#include <tenet/kernel/gemm_block.hpp>
#include <tenet/kernel/gemm_finish.hpp>
#include <tenet/kernel/gemm_pack.hpp>
#include <tenet/kernel/gemm_problem.hpp>
#include <tenet/kernel/gemm_small.hpp>
#include <tenet/kernel/gemm_tail.hpp>
#include <tenet/kernel/gemm_tile.hpp>
#include <tenet/kernel/gemm_vector.hpp>
#include <tenet/kernel/layer_norm.hpp>
#include <tenet/kernel/norm_rows.hpp>
#include <tenet/kernel/optimizer.hpp>
#include <tenet/kernel/random.hpp>
#include <tenet/kernel/reduce.hpp>
#include <tenet/kernel/rms_norm.hpp>
#include <tenet/kernel/rotary.hpp>
#include <tenet/kernel/row.hpp>
#include <tenet/kernel/softmax.hpp>
#include <tenet/kernel/softmax_rows.hpp>
#include <tenet/kernel/strided_loop.hpp>
