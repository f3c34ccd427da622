// SPDX-License-Identifier: MIT
// A training step of GPT-2 124M, batch 4, 64 tokens: of all parameters, of an adapter of rank 8 on all linear layers,
// and of the same on a base whose linear layers are stored in NF4. Counters: tokens a second; MiB of weights, of
// gradients and moments, of activations. The last argument is the number of threads.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>

#include <tenet/adapt.hpp>
#include <tenet/models/gpt2.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/op.hpp>
#include <tenet/optim.hpp>
#include <tenet/parallel/threads.hpp>
#include <tenet/program.hpp>

namespace {

using namespace tenet;

using model = gpt2<gpt2_small>;
using stored_model = quantized<model, storage::nf4>;
using adapter = lora<model, 8>;
struct Batch : axis<4> {};
struct Time : axis<64>, sequence {};

struct full_loss {
    constexpr auto operator()(auto const& m, auto tokens, auto targets) const {
        return cross_entropy<model::Vocab>(m(tokens, cast<dtype::int32>(positions<Time>(tokens))), targets);
    }
};
struct adapted_loss {
    constexpr auto operator()(auto const& base, auto const& delta, auto tokens, auto targets) const {
        return full_loss{}(with(delta, frozen(base)), tokens, targets);
    }
};
using full_step = program<model, full_loss, tokens<Batch, Time>, tokens<Batch, Time>>;
template <class Base>
using adapter_step = program<models<Base, adapter>, adapted_loss, tokens<Batch, Time>, tokens<Batch, Time>>;

constexpr double mebibytes(std::size_t bytes) {
    return static_cast<double>(bytes) / (1 << 20);
}

/// Steps of `Program` whose model number `Which`, `trained`, is one of `blocks`.
template <class Program, std::size_t Which, class Trained, class... Blocks>
void run(benchmark::State& state, std::size_t weight_elements, Trained& trained, Blocks const&... blocks) {
    Program step;
    adamw<Program, Which> optimise({.weight_decay = 0.1});
    tensor<std::int32_t, Batch, Time> x, y;
    std::uint32_t draw = 1;
    for (auto* t : {&x, &y})
        for (std::int32_t& v : *t)
            v = static_cast<std::int32_t>(((draw = draw * 1664525u + 1013904223u) >> 8) % gpt2_small::vocabulary);
    with_threads(static_cast<int>(state.range(0)), [&] {
        const auto once = [&] {
            benchmark::DoNotOptimize(step.value_and_grad(blocks..., x, y));
            optimise.step(trained, step, 1e-4);
        };
        once();  // pages are touched, threads awake
        for (auto _ : state) once();
    });
    state.counters["tokens"] =
        benchmark::Counter(static_cast<double>(x.size() * static_cast<std::size_t>(state.iterations())),
                           benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
    state.counters["weights_MiB"] = mebibytes(sizeof(float) * weight_elements);
    state.counters["optimiser_MiB"] =
        mebibytes(sizeof(float) * (Program::gradient_elements + 2 * trainable_elements<Program, Which>));
    state.counters["arena_MiB"] = mebibytes(Program::activation_bytes);
}

void full(benchmark::State& state) {
    parameters<model> theta;
    initialize(theta, init::gpt2{}, 1);
    run<full_step, 0>(state, parameter_elements<model>, theta, theta);
}
void low_rank(benchmark::State& state) {
    parameters<model> theta;
    initialize(theta, init::gpt2{}, 1);
    parameters<adapter> delta;
    initialize_adapter(delta, 1);
    run<adapter_step<model>, 1>(state, parameter_elements<model> + parameter_elements<adapter>, delta, theta, delta);
}
void quantized_low_rank(benchmark::State& state) {
    parameters<stored_model> base;
    {
        parameters<model> theta;
        initialize(theta, init::gpt2{}, 1);
        quantize(theta, base);
    }
    parameters<adapter> delta;
    initialize_adapter(delta, 1);
    run<adapter_step<stored_model>, 1>(state, parameter_elements<stored_model> + parameter_elements<adapter>, delta,
                                       base, delta);
}

BENCHMARK(full)->Name("finetune/full/tenet")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(low_rank)->Name("finetune/lora/tenet")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(quantized_low_rank)
    ->Name("finetune/qlora/tenet")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
