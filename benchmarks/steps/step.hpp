// SPDX-License-Identifier: MIT
// A whole training step as a benchmark: forward, backward, AdamW. The counter "tokens" is tokens a second,
// "MiB" the memory of a step.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>

#include <tenet/nn/init.hpp>
#include <tenet/optim.hpp>
#include <tenet/parallel/threads.hpp>

#include "gpt.hpp"

namespace step_bench {

template <sizes S, class Precision = float>
void run_step(benchmark::State& state) {
    using step = training_step<S, Precision>;
    parameters<model<S>> theta;
    initialize(theta, init::gpt2{}, 1);
    step run;
    adamw<step> optimise({.beta1 = 0.9, .beta2 = 0.99, .weight_decay = 0.1});
    tensor<std::int32_t, typename model<S>::Batch, typename model<S>::Time> x, y;
    std::uint32_t draw = 1;
    const auto next = [&] { return static_cast<std::int32_t>((draw = draw * 1664525u + 1013904223u) >> 8); };
    for (std::int32_t& v : x) v = next() % static_cast<std::int32_t>(S.classes);
    for (std::int32_t& v : y) v = next() % static_cast<std::int32_t>(S.classes);
    with_threads(static_cast<int>(state.range(0)), [&] {
        const auto once = [&] {
            benchmark::DoNotOptimize(run.value_and_grad(theta, x, y));
            optimise.step(theta, run, 1e-3);
        };
        once();
        once();  // pages are touched, threads awake
        for (auto _ : state) once();
    });
    const auto steps = static_cast<double>(state.iterations());
    state.counters["tokens"] = benchmark::Counter(static_cast<double>(x.size()) * steps, benchmark::Counter::kIsRate,
                                                  benchmark::Counter::kIs1000);
    state.counters["flops"] =
        benchmark::Counter(step::flops * steps, benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
    // All that a step has: activations, parameters, gradients, two moments.
    const std::size_t floats = theta.size() + 3 * run.gradients().size();
    state.counters["MiB"] = static_cast<double>(step::activation_bytes + floats * sizeof(float)) / 1048576;
}

}  // namespace step_bench
