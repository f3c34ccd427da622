// SPDX-License-Identifier: MIT
#include "generation.hpp"

TENET_GENERATION(c_bfloat16, tenet::gpt2<tenet::gpt2_small>, tenet::storage::bfloat16)
