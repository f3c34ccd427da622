// SPDX-License-Identifier: MIT
// Causal attention, forward and backward, of one thread. "flops" counts the pairs of a query and a key that it sees:
// 2 products forward, 4 backward, 5 beyond 64 keys, where the probabilities are computed again. What tiles compute of
// hidden pairs is not counted.
// Arguments: batch, time, heads, elements of a head.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include <tenet/kernel/attention_backward.hpp>
#include <tenet/kernel/attention_bf16_backward.hpp>
#include <tenet/parallel/threads.hpp>

namespace {

using namespace tenet::kernel;

void count_flops(benchmark::State& state, double each) {
    state.counters["flops"] = benchmark::Counter(each * static_cast<double>(state.iterations()),
                                                 benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
}

enum class way { forward, backward };

template <way Way, bool Bf16 = false>
void attend(benchmark::State& state) {
    const auto batch = static_cast<std::size_t>(state.range(0)), time = static_cast<std::size_t>(state.range(1)),
               heads = static_cast<std::size_t>(state.range(2)), size = static_cast<std::size_t>(state.range(3));
    // q, k and v packed, as a GPT has them.
    const std::size_t width = heads * size, n = batch * time * width;
    std::vector<float> qkv(3 * n), dqkv(3 * n), out(n), dout(n), saved(attention_saved_size(batch, time, time, heads));
    for (std::size_t i = 0; i < 3 * n; ++i) qkv[i] = static_cast<float>((i * 7919) % 1009) / 504.5f - 1.0f;
    for (std::size_t i = 0; i < n; ++i) dout[i] = qkv[i + 1];
    const auto stride = [&](std::size_t columns) {
        return attention_strides{static_cast<std::ptrdiff_t>(time * columns), static_cast<std::ptrdiff_t>(columns),
                                 static_cast<std::ptrdiff_t>(size)};
    };
    const auto third = [&](std::vector<float>& x, std::size_t which) {
        return attention_operand<float>{x.data() + which * width, stride(3 * width)};
    };
    const attention_operand<float> q = third(qkv, 0), k = third(qkv, 1), v = third(qkv, 2),
                                   o{out.data(), stride(width)}, d{dout.data(), stride(width)};
    const float scale = 1 / std::sqrt(static_cast<float>(size));
    constexpr auto causal = attention_mask::causal;
    const auto forward = [&] {
        if constexpr (Bf16)
            attention_bf16<causal>(batch, time, time, heads, size, q, k, v, o, saved.data(), scale, nullptr);
        else attention<causal>(batch, time, time, heads, size, q, k, v, o, saved.data(), scale, nullptr);
    };
    const auto backward = [&] {
        const attention_operand<float> dq = third(dqkv, 0), dk = third(dqkv, 1), dv = third(dqkv, 2);
        if constexpr (Bf16)
            attention_backward_bf16<causal>(batch, time, time, heads, size, q, k, v, o, d, dq, dk, dv, saved.data(),
                                            scale, nullptr);
        else
            attention_backward<causal>(batch, time, time, heads, size, q, k, v, o, d, dq, dk, dv, saved.data(), nullptr,
                                       scale, nullptr);
    };
    tenet::with_threads(1, [&] {
        forward();
        for (auto _ : state) {
            if constexpr (Way == way::forward) forward();
            else backward();
            benchmark::ClobberMemory();
        }
    });
    const double pairs = static_cast<double>(batch * heads * time) * static_cast<double>(time + 1) / 2;
    const double products = Way == way::forward ? 2 : time <= attention_kept_keys ? 4 : 5;
    const double operands = Way == way::forward ? 4 : 8;
    count_flops(state, pairs * products * 2 * static_cast<double>(size));
    state.counters["intensity"] =
        pairs * products * 2 * static_cast<double>(size) / (4 * operands * static_cast<double>(n));
}

void sizes(benchmark::internal::Benchmark* b) {
    b->Args({12, 64, 4, 32})->Args({4, 64, 12, 64})->Args({4, 256, 6, 64})->Args({1, 1024, 12, 64})->UseRealTime();
}
BENCHMARK(attend<way::forward>)->Name("attention/forward/tenet")->Apply(sizes);
BENCHMARK(attend<way::backward>)->Name("attention/backward/tenet")->Apply(sizes);
BENCHMARK(attend<way::forward, true>)->Name("attention_bfloat16/forward/tenet")->Apply(sizes);
BENCHMARK(attend<way::backward, true>)->Name("attention_bfloat16/backward/tenet")->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
