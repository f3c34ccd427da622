// SPDX-License-Identifier: MIT
#include <array>
#include <cstddef>

#include <tenet/parallel/parallel_for.hpp>
#include <tenet/simd/reduce.hpp>

#include "generation.hpp"

namespace {

/// Memory read from end to end: what a step of generation can at best be as fast as.
void stream(benchmark::State& state) {
    using batch = tenet::simd::batch<float>;
    constexpr std::size_t width = tenet::simd::width<float>, count = std::size_t{64} << 20, parts = 8, chains = 8;
    const auto memory = tenet::allocate<float>(count);
    std::array<float, parts> sums{};
    const auto read = [&](std::size_t first, std::size_t last) {
        for (; first < last; ++first) {
            float const* const p = memory.get() + first * (count / parts);
            batch sum[chains];
            for (batch& s : sum) s = batch(0.0f);
            for (std::size_t i = 0; i < count / parts; i += chains * width) {
                TENET_UNROLL
                for (std::size_t c = 0; c < chains; ++c) {
                    __builtin_prefetch(p + i + c * width + 1024, 0, 2);
                    sum[c] = sum[c] + batch::load_aligned(p + i + c * width);
                }
            }
            for (batch const& s : sum) sums[first] += tenet::simd::reduce_add<float>(s);
        }
    };
    tenet::with_threads(static_cast<int>(state.range(0)), [&] {
        tenet::parallel_for(parts, 1, read);
        for (auto _ : state) {
            tenet::parallel_for(parts, 1, read);
            benchmark::DoNotOptimize(sums.data());
        }
    });
    state.counters["bytes"] =
        benchmark::Counter(static_cast<double>(count * sizeof(float)) * static_cast<double>(state.iterations()),
                           benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
}
BENCHMARK(stream)->Name("generate/stream/tenet")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

TENET_GENERATION(b_float, tenet::gpt2<generation_bench::characters>, tenet::storage::plain)

BENCHMARK_MAIN();
