// SPDX-License-Identifier: MIT
// A round's rollouts beside plain generation of such completions in one call: 96 prompts of 6 to 20 tokens, 64 rows at
// a time, at most 48 tokens each, by the policy of the alignment examples (a GPT-2 of 4 layers, 128 wide, 512 tokens),
// sampled from its whole distribution until the end of a text. Weights are not trained; 32 tokens exist, one of which
// is the end, so that four in five completions end by themselves, at all lengths, as a fine-tuned model's do. The
// counter "tokens" is tokens a second; the last argument is the number of threads.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include <tenet/align/sample_rollouts.hpp>
#include <tenet/generate/generator.hpp>
#include <tenet/models/gpt2.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/parallel/threads.hpp>

namespace {

using namespace tenet;

struct sizes {
    static constexpr std::size_t layers = 4, heads = 4, width = 128, context = 96, vocabulary = 512;
};
using model = gpt2<sizes>;
using writer = generator<model, 64, sizes::context, 48>;
constexpr std::size_t most_tokens = 48, tokens_that_exist = 32;
constexpr std::int32_t end_of_text = tokens_that_exist - 1;

std::vector<std::vector<std::int32_t>> made_up_prompts() {
    std::vector<std::vector<std::int32_t>> all;
    std::uint32_t draw = 1;
    const auto next = [&] { return (draw = draw * 1664525u + 1013904223u) >> 8; };
    for (std::size_t i = 0; i < 96; ++i) {
        all.emplace_back(6 + next() % 15);
        for (std::int32_t& id : all.back()) id = static_cast<std::int32_t>(next() % (tokens_that_exist - 1));
    }
    return all;
}

/// `write` gives the number of tokens that were made.
template <class Write>
void measure(benchmark::State& state, Write const& write) {
    std::size_t made = 0;
    with_threads(static_cast<int>(state.range(0)), [&] {
        write();  // pages are touched, threads awake
        for (auto _ : state) made += write();
    });
    state.counters["tokens"] =
        benchmark::Counter(static_cast<double>(made), benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
}

struct fixture {
    parameters<model> theta;
    std::vector<std::vector<std::int32_t>> prompts = made_up_prompts();
    fixture() { initialize(theta, init::gpt2{}, 1); }
};

void plain(benchmark::State& state) {
    const fixture f;
    writer write(f.theta);
    const generation_options options{.sampling = {.temperature = 1},
                                     .seed = 1,
                                     .max_tokens = most_tokens,
                                     .stop = {{end_of_text}},
                                     .vocabulary = tokens_that_exist};
    measure(state, [&] {
        std::size_t made = 0;
        for (generated const& g : write(f.prompts, options)) made += g.tokens.size() + (g.why == finish::stop ? 1 : 0);
        return made;
    });
}
void rollouts(benchmark::State& state) {
    const fixture f;
    writer write(f.theta);
    const rollout_options options{
        .max_tokens = most_tokens, .end_of_text = end_of_text, .seed = 1, .vocabulary = tokens_that_exist};
    measure(state, [&] {
        std::size_t made = 0;
        for (rollout const& r : sample_rollouts(write, f.prompts, options)) made += r.completion().size();
        return made;
    });
}

BENCHMARK(plain)->Name("generate/batch/tenet")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(rollouts)->Name("generate/rollouts/tenet")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
