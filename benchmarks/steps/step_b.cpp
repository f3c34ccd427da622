// SPDX-License-Identifier: MIT
#include "step.hpp"

namespace step_bench {
namespace {
void b(benchmark::State& state) {
    run_step<medium>(state);
}
BENCHMARK(b)->Name("step/b/tenet")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
}  // namespace
}  // namespace step_bench
