// SPDX-License-Identifier: MIT
// A step of supervised fine-tuning of GPT-2 124M beside steps of DPO with an adapter of rank 8 on the same tokens: 4
// rows of 64, which DPO reads as 2 pairs. The reference's log-probabilities are cached, as in a training of several
// epochs, or computed within the step by the base with the adapter off. The last argument is the number of threads.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include <tenet/adapt.hpp>
#include <tenet/align.hpp>
#include <tenet/data.hpp>
#include <tenet/models/gpt2.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/op.hpp>
#include <tenet/optim.hpp>
#include <tenet/parallel/threads.hpp>
#include <tenet/program.hpp>

namespace {

using namespace tenet;

using model = gpt2<gpt2_small>;
using adapter = lora<model, 8>;
struct Rows : axis<4> {};
struct Pairs : at_most<2> {};
struct Time : axis<64>, sequence {};

constexpr auto places_of(auto tokens) {
    return cast<dtype::int32>(positions<Time>(tokens));
}

struct tuning_loss {
    constexpr auto operator()(auto const& m, auto tokens, auto targets) const {
        return completion_cross_entropy<model::Vocab>(m(tokens, places_of(tokens)), targets);
    }
};
struct cached_loss {
    constexpr auto operator()(auto const& base, auto const& delta, auto tokens, auto targets, auto reference) const {
        using pair = policy_and_reference<adapter_off>;
        const auto policy =
            sequence_log_probability<model::Vocab, Time>(pair::policy(base, delta)(tokens, places_of(tokens)), targets);
        return dpo_loss<Pairs>(chosen(policy), rejected(policy), chosen(reference), rejected(reference));
    }
};
struct whole_loss {
    constexpr auto operator()(auto const& base, auto const& delta, auto tokens, auto targets) const {
        using pair = policy_and_reference<adapter_off>;
        const auto reference = sequence_log_probability<model::Vocab, Time>(
            pair::reference(base, delta)(tokens, places_of(tokens)), targets);
        return cached_loss{}(base, delta, tokens, targets, reference);
    }
};
using pair_tokens = tokens<Pairs, preference_side, Time>;
using pair_targets = completions<Pairs, preference_side, Time>;
using tuning_step = program<model, tuning_loss, tokens<Rows, Time>, completions<Rows, Time>>;
using cached_step =
    program<models<model, adapter>, cached_loss, pair_tokens, pair_targets, values<Pairs, preference_side>>;
using whole_step = program<models<model, adapter>, whole_loss, pair_tokens, pair_targets>;

constexpr completion_options row_options{.end_of_text = 50256, .pad = 50256};

/// Row `row`: 16 tokens of a prompt, 48 of a completion.
completion_row made_up(std::uint32_t row) {
    std::uint32_t draw = row + 1;
    completion_row r;
    for (std::size_t t = 0; t < Time::capacity; ++t)
        r.tokens.push_back(static_cast<std::int32_t>(((draw = draw * 1664525u + 1013904223u) >> 8) % 50000));
    r.prompt = 16;
    return r;
}

template <class Step>
void measure(benchmark::State& state, Step const& step) {
    with_threads(static_cast<int>(state.range(0)), [&] {
        step();  // pages are touched, threads awake
        for (auto _ : state) step();
    });
    state.counters["tokens"] = benchmark::Counter(
        static_cast<double>(Rows::capacity * Time::capacity * static_cast<std::size_t>(state.iterations())),
        benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
}

struct weights {
    parameters<model> base;
    parameters<adapter> delta;
    weights() {
        initialize(base, init::gpt2{}, 1);
        initialize_adapter(delta, 1);
    }
};

void tune(benchmark::State& state) {
    weights w;
    tuning_step step;
    adamw<tuning_step> optimise({.weight_decay = 0.1});
    completion_rows<axes<Rows>, Time> batch(row_options);
    for (std::uint32_t i = 0; i < Rows::capacity; ++i) batch.set(i, made_up(i));
    measure(state, [&] {
        benchmark::DoNotOptimize(step.value_and_grad(w.base, batch.tokens(), batch.targets()));
        optimise.step(w.base, step, 1e-4);
    });
}

template <class Step>
void prefer(benchmark::State& state) {
    weights w;
    Step step;
    adamw<Step, 1> optimise({.weight_decay = 0});
    preference_batch<Pairs, Time> batch(row_options);
    for (std::uint32_t i = 0; i < Pairs::capacity; ++i) {
        // Both completions follow the same prompt.
        const completion_row a = made_up(2 * i), b = made_up(2 * i + 1);
        const auto prompt = std::span(a.tokens).first(16);
        batch.set(i, prompt, std::span(a.tokens).subspan(16, 47), std::span(b.tokens).subspan(16, 47));
    }
    tensor<float, Pairs, preference_side> reference(extent<Pairs>(Pairs::capacity));
    reference.fill(-400);
    measure(state, [&] {
        if constexpr (std::is_same_v<Step, cached_step>)
            benchmark::DoNotOptimize(step.value_and_grad(w.base, w.delta, batch.tokens(), batch.targets(), reference));
        else benchmark::DoNotOptimize(step.value_and_grad(w.base, w.delta, batch.tokens(), batch.targets()));
        optimise.step(w.delta, step, 1e-4);
    });
}

BENCHMARK(tune)->Name("align/sft_step/tenet")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(prefer<cached_step>)
    ->Name("align/dpo_lora_step/tenet")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(prefer<whole_step>)
    ->Name("align/dpo_lora_step_with_reference/tenet")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
