// SPDX-License-Identifier: MIT
#include "step.hpp"

namespace step_bench {
namespace {
void a(benchmark::State& state) {
    run_step<small>(state);
}
BENCHMARK(a)->Name("step/a/tenet")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
}  // namespace
}  // namespace step_bench
