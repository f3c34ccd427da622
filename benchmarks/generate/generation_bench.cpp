// SPDX-License-Identifier: MIT
#include "generation.hpp"

TENET_GENERATION(b_float, tenet::gpt2<generation_bench::characters>, tenet::storage::plain)

BENCHMARK_MAIN();
