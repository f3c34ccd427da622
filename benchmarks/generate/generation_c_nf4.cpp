// SPDX-License-Identifier: MIT
#include "generation.hpp"

TENET_GENERATION(c_nf4, tenet::gpt2<tenet::gpt2_small>, tenet::storage::nf4)
