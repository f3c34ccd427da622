// SPDX-License-Identifier: MIT
// Text from one prompt, token by token, as a benchmark. The counter "tokens" is tokens a second, "bytes" the weights
// that each token reads, a second: memory is the limit.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include <tenet/adapt/quantize.hpp>
#include <tenet/adapt/quantized.hpp>
#include <tenet/generate/generator.hpp>
#include <tenet/models/gpt2.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/parallel/threads.hpp>

namespace generation_bench {

using namespace tenet;

/// Six layers, 384 wide, 65 characters.
struct characters {
    static constexpr std::size_t layers = 6, heads = 6, width = 384, context = 256, vocabulary = 65;
};

template <class Plain, storage Format>
struct stored_as {
    using type = quantized<quantized<Plain, Format>, Format, targets<"wte", "wpe">>;
};
template <class Plain>
struct stored_as<Plain, storage::plain> {
    using type = Plain;
};

template <class Plain, storage Format>
void run(benchmark::State& state) {
    using model = typename stored_as<Plain, Format>::type;
    parameters<model> theta;
    {
        parameters<Plain> weights;
        initialize(weights, init::gpt2{}, 1);
        if constexpr (Format == storage::plain) theta = std::move(weights);
        else quantize(weights, theta);
    }
    constexpr std::size_t prompt = 8, length = 64;
    generator<model, 1, prompt + length, prompt> write(theta);
    generation_options options;
    options.sampling.temperature = 0;
    options.max_tokens = length;
    const std::vector<std::int32_t> ids(prompt, 7);
    with_threads(static_cast<int>(state.range(0)), [&] {
        write(ids, options);
        for (auto _ : state) benchmark::DoNotOptimize(write(ids, options).tokens.data());
    });
    const double made = static_cast<double>(length) * static_cast<double>(state.iterations());
    const auto rate = [](double x) {
        return benchmark::Counter(x, benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
    };
    state.counters["tokens"] = rate(made);
    state.counters["bytes"] = rate(made * static_cast<double>(parameter_bytes<model>));
}

}  // namespace generation_bench

/// Registers the text of one model and storage for 1 and 2 threads.
#define TENET_GENERATION(name, ...)                                                                                  \
    namespace {                                                                                                      \
    void name(benchmark::State& state) {                                                                             \
        generation_bench::run<__VA_ARGS__>(state);                                                                   \
    }                                                                                                                \
    BENCHMARK(name)->Name("generate/" #name "/tenet")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond); \
    }
