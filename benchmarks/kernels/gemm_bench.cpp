// SPDX-License-Identifier: MIT
// Matrix products of GPT training steps and static small ones, beside a loop of independent fused multiply-adds, the
// machine's peak. Counter "flops" is floating-point operations a second, an addition and a multiplication each one.
// One thread: --benchmark_filter=.*/1$ ; the last argument is the number of threads.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include <tenet/base/constant.hpp>
#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm.hpp>
#include <tenet/parallel/threads.hpp>
#include <tenet/simd/batch.hpp>

namespace {

using tenet::kernel::gemm;
using tenet::kernel::matrix_view;

void count_flops(benchmark::State& state, double each) {
    state.counters["flops"] = benchmark::Counter(each * static_cast<double>(state.iterations()),
                                                 benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
}

struct aligned_delete {
    void operator()(float* p) const { ::operator delete[](p, std::align_val_t{64}); }
};
using buffer = std::unique_ptr<float[], aligned_delete>;

buffer make_buffer(std::size_t n) {
    buffer b(static_cast<float*>(::operator new[](n * sizeof(float), std::align_val_t{64})));
    for (std::size_t i = 0; i < n; ++i) b[i] = static_cast<float>(i % 13) * 0.125f - 0.75f;
    return b;
}

void peak(benchmark::State& state) {
    using batch = tenet::simd::batch<float>;
    constexpr int chains = 12;
    const batch x(0.999f), y(0.001f);
    batch sum[chains];
    for (int i = 0; i < chains; ++i) sum[i] = batch(static_cast<float>(i));
    for (auto _ : state) {
        for (int repeat = 0; repeat < 1000; ++repeat) {
            TENET_UNROLL
            for (int i = 0; i < chains; ++i) sum[i] = tenet::simd::fma<float>(sum[i], x, y);
        }
        benchmark::DoNotOptimize(sum);
    }
    count_flops(state, 2.0 * 1000 * chains * static_cast<double>(tenet::simd::width<float>));
}
BENCHMARK(peak);

enum class form { nn, nt, tn };

template <form Form>
void product(benchmark::State& state) {
    const auto m = static_cast<std::size_t>(state.range(0)), n = static_cast<std::size_t>(state.range(1)),
               k = static_cast<std::size_t>(state.range(2));
    const buffer a = make_buffer(m * k), b = make_buffer(k * n), c = make_buffer(m * n);
    const std::ptrdiff_t rows = state.range(0), columns = state.range(1), depth = state.range(2);
    const matrix_view<float const> av =
        Form == form::tn ? matrix_view<float const>{a.get(), 1, rows} : matrix_view<float const>{a.get(), depth, 1};
    const matrix_view<float const> bv =
        Form == form::nt ? matrix_view<float const>{b.get(), 1, depth} : matrix_view<float const>{b.get(), columns, 1};
    const matrix_view<float> cv{c.get(), columns, 1};
    tenet::with_threads(static_cast<int>(state.range(3)), [&] {
        for (auto _ : state) {
            gemm<float>(m, n, k, av, bv, cv, Form == form::tn);
            benchmark::ClobberMemory();
        }
    });
    count_flops(state, 2.0 * static_cast<double>(m * n) * static_cast<double>(k));
}

// Of a step: forward (weights as rows of outputs or of inputs), gradient of the input, gradient of the weight.
void forward_shapes(benchmark::internal::Benchmark* b) {
    for (std::int64_t threads : {1, 2})
        for (auto const& s : {std::array<std::int64_t, 3>{768, 384, 128},
                              {768, 512, 128},
                              {768, 128, 512},
                              {4096, 1152, 384},
                              {4096, 384, 1536},
                              {768, 2304, 768},
                              {768, 65, 384},
                              {256, 50304, 768},
                              {1024, 1024, 1024}})
            b->Args({s[0], s[1], s[2], threads});
    b->UseRealTime();
}
void weight_shapes(benchmark::internal::Benchmark* b) {
    for (std::int64_t threads : {1, 2})
        for (auto const& s :
             {std::array<std::int64_t, 3>{128, 384, 768}, {512, 128, 768}, {384, 1152, 4096}, {768, 3072, 768}})
            b->Args({s[0], s[1], s[2], threads});
    b->UseRealTime();
}
BENCHMARK(product<form::nn>)->Apply(forward_shapes);
BENCHMARK(product<form::nt>)->Apply(forward_shapes);
BENCHMARK(product<form::tn>)->Apply(weight_shapes);

template <std::size_t Size>
void small_square(benchmark::State& state) {
    const buffer a = make_buffer(Size * Size), b = make_buffer(Size * Size), c = make_buffer(Size * Size);
    constexpr std::ptrdiff_t row = Size;
    constexpr tenet::constant<Size> n{};
    for (auto _ : state) {
        gemm<float>(n, n, n, {a.get(), row, 1}, {b.get(), row, 1}, {c.get(), row, 1}, false);
        benchmark::ClobberMemory();
    }
    count_flops(state, 2.0 * Size * Size * Size);
}
BENCHMARK(small_square<4>);
BENCHMARK(small_square<8>);
BENCHMARK(small_square<16>);
BENCHMARK(small_square<24>);
BENCHMARK(small_square<32>);
BENCHMARK(small_square<48>);
BENCHMARK(small_square<64>);

}  // namespace

BENCHMARK_MAIN();
