// SPDX-License-Identifier: MIT
#include "step.hpp"

namespace step_bench {
namespace {
void c(benchmark::State& state) {
    run_step<gpt2_124m, mixed_precision<float, bfloat16>>(state);
}
BENCHMARK(c)->Name("step/c_bfloat16/tenet")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
}  // namespace
}  // namespace step_bench
