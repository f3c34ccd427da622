// SPDX-License-Identifier: MIT
// What the benchmarks of matrix products share: the sizes of GPT training steps, memory, and counters.
#pragma once

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace products {

inline void count_flops(benchmark::State& state, double each) {
    state.counters["flops"] = benchmark::Counter(each * static_cast<double>(state.iterations()),
                                                 benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
}

inline void count_product(benchmark::State& state, double m, double n, double k, bool accumulate, double size = 4) {
    count_flops(state, 2 * m * n * k);
    state.counters["intensity"] = 2 * m * n * k / (size * (m * k + k * n) + 4 * m * n * (accumulate ? 2 : 1));
}

struct aligned_delete {
    void operator()(float* p) const { ::operator delete[](p, std::align_val_t{64}); }
};
using buffer = std::unique_ptr<float[], aligned_delete>;

inline buffer make_buffer(std::size_t n) {
    buffer b(static_cast<float*>(::operator new[](n * sizeof(float), std::align_val_t{64})));
    for (std::size_t i = 0; i < n; ++i) b[i] = static_cast<float>(i % 13) * 0.125f - 0.75f;
    return b;
}

enum class form { nn, nt, tn };

// Of a step: forward (weights as rows of outputs or of inputs), gradient of the input, gradient of the weight.
inline void forward_shapes(benchmark::internal::Benchmark* b) {
    for (std::int64_t threads : {1, 2})
        for (auto const& s : {std::array<std::int64_t, 3>{768, 384, 128},
                              {768, 512, 128},
                              {768, 128, 512},
                              {4096, 1152, 384},
                              {4096, 384, 1536},
                              {768, 2304, 768},
                              {768, 65, 384},
                              {256, 50304, 768},
                              {256, 50257, 768},
                              {8, 768, 768},
                              {1, 3072, 768},
                              {1, 50257, 768},
                              {1024, 1024, 1024}})
            b->Args({s[0], s[1], s[2], threads});
    b->UseRealTime();
}
inline void weight_shapes(benchmark::internal::Benchmark* b) {
    for (std::int64_t threads : {1, 2})
        for (auto const& s : {std::array<std::int64_t, 3>{128, 384, 768},
                              {512, 128, 768},
                              {384, 1152, 4096},
                              {384, 1536, 4096},
                              {768, 3072, 768},
                              {384, 65, 768}})
            b->Args({s[0], s[1], s[2], threads});
    b->UseRealTime();
}

}  // namespace products
