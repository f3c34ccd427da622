// SPDX-License-Identifier: MIT
#include "generation.hpp"

TENET_GENERATION(c_int8, tenet::gpt2<tenet::gpt2_small>, tenet::storage::int8)
