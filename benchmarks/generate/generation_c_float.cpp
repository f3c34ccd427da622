// SPDX-License-Identifier: MIT
#include "generation.hpp"

TENET_GENERATION(c_float, tenet::gpt2<tenet::gpt2_small>, tenet::storage::plain)
