// SPDX-License-Identifier: MIT
// Matrix products of GPT training steps and static small ones, beside a loop of independent fused multiply-adds, the
// machine's peak. Counter "flops" is floating-point operations a second, an addition and a multiplication each one.
// "intensity" those for each byte that a product must read or write once.
// One thread: --benchmark_filter=.*/1/real_time ; the last argument is the number of threads. OpenBLAS, oneDNN and
// Eigen take part where they are installed. Machines are noisy: compare medians of interleaved runs,
//   --benchmark_enable_random_interleaving=true --benchmark_repetitions=9 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include <tenet/base/constant.hpp>
#include <tenet/base/macros.hpp>
#include <tenet/kernel/gemm.hpp>
#include <tenet/kernel/gemv_quantized.hpp>
#include <tenet/kernel/gemv_rounded.hpp>
#include <tenet/kernel/quantize.hpp>
#include <tenet/parallel/threads.hpp>
#include <tenet/simd/batch.hpp>

#include "products.hpp"

#ifdef TENET_BENCH_EIGEN
#include <Eigen/Dense>
#endif
#ifdef TENET_BENCH_OPENBLAS
#include <cblas.h>
extern "C" void openblas_set_num_threads(int);
#endif
#ifdef TENET_BENCH_ONEDNN
#include <dnnl.h>
#include <omp.h>
#endif

namespace {

using namespace products;
using tenet::kernel::gemm;
using tenet::kernel::matrix_view;

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

enum class engine { tenet, openblas, onednn, eigen, loops };

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
    count_product(state, static_cast<double>(m), static_cast<double>(n), static_cast<double>(k), accumulate);
}

BENCHMARK(product<form::nn>)->Name("gemm/nn/tenet")->Apply(forward_shapes);
BENCHMARK(product<form::nt>)->Name("gemm/nt/tenet")->Apply(forward_shapes);
BENCHMARK(product<form::tn>)->Name("gemm/tn/tenet")->Apply(weight_shapes);
#ifdef TENET_BENCH_OPENBLAS
BENCHMARK(product<form::nn, engine::openblas>)->Name("gemm/nn/openblas")->Apply(forward_shapes);
BENCHMARK(product<form::nt, engine::openblas>)->Name("gemm/nt/openblas")->Apply(forward_shapes);
BENCHMARK(product<form::tn, engine::openblas>)->Name("gemm/tn/openblas")->Apply(weight_shapes);
#endif
#ifdef TENET_BENCH_ONEDNN
BENCHMARK(product<form::nn, engine::onednn>)->Name("gemm/nn/onednn")->Apply(forward_shapes);
BENCHMARK(product<form::nt, engine::onednn>)->Name("gemm/nt/onednn")->Apply(forward_shapes);
BENCHMARK(product<form::tn, engine::onednn>)->Name("gemm/tn/onednn")->Apply(weight_shapes);
#endif
// The feed-forward layer of a small GPT with what follows its product.
enum class also { nothing, bias, bias_gelu, bias_gelu_kept, bias_residual, bias_dropout_residual };

template <also What>
void fused(benchmark::State& state) {
    constexpr std::size_t m = 4096, n = 1536, k = 384;
    const buffer a = make_buffer(m * k), b = make_buffer(k * n), c = make_buffer(m * n), other = make_buffer(m * n),
                 bias = make_buffer(n);
    tenet::kernel::epilogue<float> e;
    if (What != also::nothing) e.column_bias = bias.get();
    if (What == also::bias_gelu || What == also::bias_gelu_kept) e.f = tenet::kernel::activation::gelu;
    if (What == also::bias_gelu_kept) e.kept = other.get();
    if (What == also::bias_residual || What == also::bias_dropout_residual) e.residual = other.get();
    if (What == also::bias_dropout_residual) e.rate = 0.1f, e.key = 1;
    tenet::with_threads(1, [&] {
        for (auto _ : state) {
            gemm<float>(m, n, k, matrix_view<float const>{a.get(), k, 1}, matrix_view<float const>{b.get(), n, 1},
                        matrix_view<float>{c.get(), n, 1}, false, e);
            benchmark::ClobberMemory();
        }
    });
    count_product(state, m, n, k, false);
}
BENCHMARK(fused<also::nothing>)->Name("fused/nothing/tenet");
BENCHMARK(fused<also::bias>)->Name("fused/bias/tenet");
BENCHMARK(fused<also::bias_gelu>)->Name("fused/bias_gelu/tenet");
BENCHMARK(fused<also::bias_gelu_kept>)->Name("fused/bias_gelu_kept/tenet");
BENCHMARK(fused<also::bias_residual>)->Name("fused/bias_residual/tenet");
BENCHMARK(fused<also::bias_dropout_residual>)->Name("fused/bias_dropout_residual/tenet");

// The head of GPT-2 for one token, from memory: copies of the weights take turns, so that no cache holds them.
// Counter "bytes" is what of the weights is read in a second.
template <tenet::storage Format, bool Rounded = false>
void decode(benchmark::State& state) {
    constexpr std::size_t n = 50257, k = 768, copies = 4;
    const tenet::kernel::storage_layout layout{Format, n * k, k};
    const buffer w = make_buffer(n * k), x = make_buffer(k), y = make_buffer(n);
    const std::size_t size = (layout.bytes() + 63) / 64 * 64;
    const buffer records = make_buffer(copies * size / sizeof(float));
    auto* const bytes = reinterpret_cast<std::byte*>(records.get());
    for (std::size_t i = 0; i < copies; ++i) tenet::kernel::quantize(layout, w.get(), bytes + i * size);
    std::size_t turn = 0;
    tenet::with_threads(static_cast<int>(state.range(0)), [&] {
        for (auto _ : state) {
            const tenet::kernel::stored_matrix m{layout, bytes + turn++ % copies * size};
            if (Rounded) tenet::kernel::gemv_int8_rounded(m, 0, n, x.get(), y.get());
            else tenet::kernel::gemv_quantized(m, 0, n, k, x.get(), y.get(), 1, false);
            benchmark::ClobberMemory();
        }
    });
    const auto size_of_all = static_cast<double>(layout.bytes());
    state.counters["bytes"] = benchmark::Counter(size_of_all * static_cast<double>(state.iterations()),
                                                 benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
    count_flops(state, 2.0 * n * k);
    state.counters["intensity"] = 2.0 * n * k / size_of_all;
}
BENCHMARK(decode<tenet::storage::bfloat16>)->Name("decode/bfloat16/tenet")->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(decode<tenet::storage::int8>)->Name("decode/int8/tenet")->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(decode<tenet::storage::int8, true>)->Name("decode/int8_rounded/tenet")->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(decode<tenet::storage::nf4>)->Name("decode/nf4/tenet")->Arg(1)->Arg(2)->UseRealTime();

// Products of sizes that the compiler knows, beside Eigen's fixed matrices and plain loops.
template <std::size_t Size, engine Engine>
void small_square(benchmark::State& state) {
    const buffer a = make_buffer(Size * Size), b = make_buffer(Size * Size), c = make_buffer(Size * Size);
    constexpr std::ptrdiff_t row = Size;
    constexpr tenet::constant<Size> n{};
    for (auto _ : state) {
        if constexpr (Engine == engine::tenet) {
            gemm<float>(n, n, n, {a.get(), row, 1}, {b.get(), row, 1}, {c.get(), row, 1}, false);
        } else if constexpr (Engine == engine::loops) {
            for (std::size_t i = 0; i < Size; ++i) {
                float sums[Size] = {};
                for (std::size_t k = 0; k < Size; ++k)
                    for (std::size_t j = 0; j < Size; ++j) sums[j] += a[i * Size + k] * b[k * Size + j];
                for (std::size_t j = 0; j < Size; ++j) c[i * Size + j] = sums[j];
            }
        } else {
#ifdef TENET_BENCH_EIGEN
            using matrix = Eigen::Matrix<float, Size, Size, Eigen::RowMajor>;
            using view = Eigen::Map<matrix, Eigen::Aligned64>;
            view(c.get()).noalias() = view(a.get()) * view(b.get());
#endif
        }
        benchmark::ClobberMemory();
    }
    constexpr auto size = static_cast<double>(Size);
    count_product(state, size, size, size, false);
}
BENCHMARK(small_square<4, engine::tenet>)->Name("small_square/4/tenet");
BENCHMARK(small_square<4, engine::loops>)->Name("small_square/4/loops");
BENCHMARK(small_square<8, engine::tenet>)->Name("small_square/8/tenet");
BENCHMARK(small_square<8, engine::loops>)->Name("small_square/8/loops");
BENCHMARK(small_square<16, engine::tenet>)->Name("small_square/16/tenet");
BENCHMARK(small_square<16, engine::loops>)->Name("small_square/16/loops");
BENCHMARK(small_square<24, engine::tenet>)->Name("small_square/24/tenet");
BENCHMARK(small_square<24, engine::loops>)->Name("small_square/24/loops");
BENCHMARK(small_square<32, engine::tenet>)->Name("small_square/32/tenet");
BENCHMARK(small_square<32, engine::loops>)->Name("small_square/32/loops");
BENCHMARK(small_square<48, engine::tenet>)->Name("small_square/48/tenet");
BENCHMARK(small_square<48, engine::loops>)->Name("small_square/48/loops");
BENCHMARK(small_square<64, engine::tenet>)->Name("small_square/64/tenet");
BENCHMARK(small_square<64, engine::loops>)->Name("small_square/64/loops");
#ifdef TENET_BENCH_EIGEN
BENCHMARK(small_square<4, engine::eigen>)->Name("small_square/4/eigen");
BENCHMARK(small_square<8, engine::eigen>)->Name("small_square/8/eigen");
BENCHMARK(small_square<16, engine::eigen>)->Name("small_square/16/eigen");
BENCHMARK(small_square<24, engine::eigen>)->Name("small_square/24/eigen");
BENCHMARK(small_square<32, engine::eigen>)->Name("small_square/32/eigen");
BENCHMARK(small_square<48, engine::eigen>)->Name("small_square/48/eigen");
BENCHMARK(small_square<64, engine::eigen>)->Name("small_square/64/eigen");
#endif

}  // namespace

BENCHMARK_MAIN();
