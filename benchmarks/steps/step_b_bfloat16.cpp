// SPDX-License-Identifier: MIT
#include "step.hpp"

namespace step_bench {
namespace {
void b(benchmark::State& state) {
    run_step<medium, mixed_precision<float, bfloat16>>(state);
}
BENCHMARK(b)->Name("step/b_bfloat16/tenet")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
}  // namespace
}  // namespace step_bench
