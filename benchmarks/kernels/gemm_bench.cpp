// SPDX-License-Identifier: MIT
// Matrix products of GPT training steps and static small ones, beside a loop of independent fused multiply-adds, the
// machine's peak. Counter "flops" is floating-point operations a second, an addition and a multiplication each one.
// One thread: --benchmark_filter=.*/1$ ; the last argument is the number of threads. OpenBLAS and oneDNN take part
// where they are installed. Machines are noisy: compare medians of interleaved runs,
//   --benchmark_enable_random_interleaving=true --benchmark_repetitions=9 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include <tenet/base/constant.hpp>
#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm.hpp>
#include <tenet/kernel/gemm_bf16.hpp>
#include <tenet/kernel/gemv_quantized.hpp>
#include <tenet/kernel/quantize.hpp>
#include <tenet/parallel/threads.hpp>
#include <tenet/simd/batch.hpp>

#ifdef TENET_BENCH_OPENBLAS
#include <cblas.h>
extern "C" void openblas_set_num_threads(int);
#endif
#ifdef TENET_BENCH_ONEDNN
#include <dnnl.h>
#include <omp.h>
#endif

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
enum class engine { tenet, tenet_bf16, openblas, onednn };

template <form Form, engine Engine = engine::tenet>
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
    const auto threads = static_cast<int>(state.range(3));
    constexpr bool accumulate = Form == form::tn;
#ifdef TENET_BENCH_OPENBLAS
    openblas_set_num_threads(threads);
#endif
#ifdef TENET_BENCH_ONEDNN
    omp_set_num_threads(threads);
#endif
    tenet::with_threads(threads, [&] {
        for (auto _ : state) {
            if constexpr (Engine == engine::tenet) {
                gemm<float>(m, n, k, av, bv, cv, accumulate);
            } else if constexpr (Engine == engine::tenet_bf16) {
                tenet::kernel::gemm_bf16<float, float>(m, n, k, av, bv, cv, accumulate);
            } else if constexpr (Engine == engine::openblas) {
#ifdef TENET_BENCH_OPENBLAS
                cblas_sgemm(CblasRowMajor, Form == form::tn ? CblasTrans : CblasNoTrans,
                            Form == form::nt ? CblasTrans : CblasNoTrans, static_cast<int>(m), static_cast<int>(n),
                            static_cast<int>(k), 1.0f, a.get(), static_cast<int>(Form == form::tn ? rows : depth),
                            b.get(), static_cast<int>(Form == form::nt ? depth : columns), accumulate ? 1.0f : 0.0f,
                            c.get(), static_cast<int>(columns));
#endif
            } else {
#ifdef TENET_BENCH_ONEDNN
                dnnl_sgemm(Form == form::tn ? 'T' : 'N', Form == form::nt ? 'T' : 'N', rows, columns, depth, 1.0f,
                           a.get(), Form == form::tn ? rows : depth, b.get(), Form == form::nt ? depth : columns,
                           accumulate ? 1.0f : 0.0f, c.get(), columns);
#endif
            }
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
                              {256, 50257, 768},
                              {8, 768, 768},
                              {1, 3072, 768},
                              {1, 50257, 768},
                              {1024, 1024, 1024}})
            b->Args({s[0], s[1], s[2], threads});
    b->UseRealTime();
}
void weight_shapes(benchmark::internal::Benchmark* b) {
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
BENCHMARK(product<form::nn>)->Apply(forward_shapes);
BENCHMARK(product<form::nt>)->Apply(forward_shapes);
BENCHMARK(product<form::tn>)->Apply(weight_shapes);
#ifdef TENET_BENCH_OPENBLAS
BENCHMARK(product<form::nn, engine::openblas>)->Apply(forward_shapes);
BENCHMARK(product<form::nt, engine::openblas>)->Apply(forward_shapes);
BENCHMARK(product<form::tn, engine::openblas>)->Apply(weight_shapes);
#endif
#ifdef TENET_BENCH_ONEDNN
BENCHMARK(product<form::nn, engine::onednn>)->Apply(forward_shapes);
BENCHMARK(product<form::nt, engine::onednn>)->Apply(forward_shapes);
BENCHMARK(product<form::tn, engine::onednn>)->Apply(weight_shapes);
#endif
BENCHMARK(product<form::nn, engine::tenet_bf16>)->Apply(forward_shapes);
BENCHMARK(product<form::nt, engine::tenet_bf16>)->Apply(forward_shapes);
BENCHMARK(product<form::tn, engine::tenet_bf16>)->Apply(weight_shapes);

// The feed-forward layer of a small GPT with what follows its product; the argument is what: 0 nothing, 1 a bias,
// 2 bias and GELU, 3 bias, GELU and the sums kept, 4 bias and residual, 5 bias, dropout and residual.
void fused(benchmark::State& state) {
    constexpr std::size_t m = 4096, n = 1536, k = 384;
    const buffer a = make_buffer(m * k), b = make_buffer(k * n), c = make_buffer(m * n), other = make_buffer(m * n),
                 bias = make_buffer(n);
    tenet::kernel::epilogue<float> e;
    const auto what = state.range(0);
    if (what >= 1) e.column_bias = bias.get();
    if (what == 2 || what == 3) e.f = tenet::kernel::activation::gelu;
    if (what == 3) e.kept = other.get();
    if (what >= 4) e.residual = other.get();
    if (what == 5) e.rate = 0.1f, e.key = 1;
    tenet::with_threads(1, [&] {
        for (auto _ : state) {
            gemm<float>(m, n, k, matrix_view<float const>{a.get(), k, 1}, matrix_view<float const>{b.get(), n, 1},
                        matrix_view<float>{c.get(), n, 1}, false, e);
            benchmark::ClobberMemory();
        }
    });
    count_flops(state, 2.0 * m * n * k);
}
BENCHMARK(fused)->DenseRange(0, 5);

// The head of GPT-2 for one token, from memory: copies of the weights take turns, so that no cache holds them.
// Counter "bytes" is what of the weights is read in a second.
void decode(benchmark::State& state) {
    constexpr std::size_t n = 50257, k = 768, copies = 4;
    const auto format = static_cast<tenet::storage>(state.range(0));
    const tenet::kernel::storage_layout layout{format, n * k, k};
    const buffer w = make_buffer(n * k), x = make_buffer(k), y = make_buffer(n);
    const std::size_t size = (layout.bytes() + 63) / 64 * 64;
    const buffer records = make_buffer(copies * size / sizeof(float));
    auto* const bytes = reinterpret_cast<std::byte*>(records.get());
    for (std::size_t i = 0; i < copies; ++i) tenet::kernel::quantize(layout, w.get(), bytes + i * size);
    const bool rounded = state.range(1) != 0;
    std::size_t turn = 0;
    tenet::with_threads(static_cast<int>(state.range(2)), [&] {
        for (auto _ : state) {
            const tenet::kernel::stored_matrix m{layout, bytes + turn++ % copies * size};
            if (rounded) tenet::kernel::gemv_int8_rounded(m, 0, n, x.get(), y.get());
            else tenet::kernel::gemv_quantized(m, 0, n, k, x.get(), y.get(), 1, false);
            benchmark::ClobberMemory();
        }
    });
    state.counters["bytes"] =
        benchmark::Counter(static_cast<double>(layout.bytes()) * static_cast<double>(state.iterations()),
                           benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
}
void stored_formats(benchmark::internal::Benchmark* b) {
    using tenet::storage;
    for (std::int64_t threads : {1, 2}) {
        for (storage s : {storage::bfloat16, storage::int8, storage::nf4})
            b->Args({static_cast<std::int64_t>(s), 0, threads});
        b->Args({static_cast<std::int64_t>(storage::int8), 1, threads});
    }
    b->UseRealTime();
}
BENCHMARK(decode)->Apply(stored_formats);

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
