// SPDX-License-Identifier: MIT
// Products with stored weights beside products with numbers, in the shapes of GPT-2: forward x W and the gradient of x,
// dy W^T. Counter "flops" is floating-point operations a second; the quotient with "numbers" of the same shape is what
// storing costs. Arguments: rows of x, inputs, outputs, threads.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <tenet/kernel/gemm_quantized.hpp>
#include <tenet/kernel/quantize.hpp>
#include <tenet/parallel/threads.hpp>

namespace {

using namespace tenet;

std::vector<float> numbers_of(std::size_t n) {
    std::vector<float> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(i * 2654435761u % 1009) * 0.002f - 1.0f;
    return x;
}

template <storage Format, bool Backward>
void product(benchmark::State& state) {
    const auto m = static_cast<std::size_t>(state.range(0));
    const auto in = static_cast<std::size_t>(state.range(1)), out = static_cast<std::size_t>(state.range(2));
    const std::size_t k = Backward ? out : in, n = Backward ? in : out;
    const auto row = static_cast<std::ptrdiff_t>(out), depth = static_cast<std::ptrdiff_t>(k);
    const auto w = numbers_of(in * out), x = numbers_of(m * k);
    std::vector<float> y(m * n);
    const kernel::storage_layout layout{Format, w.size(), out};
    std::vector<std::byte> record(layout.bytes());
    kernel::quantize(layout, w.data(), record.data());
    const kernel::stored_matrix stored{layout, record.data()};
    const std::ptrdiff_t row_stride = Backward ? 1 : row, column_stride = Backward ? row : 1;
    const kernel::matrix_view<float const> a{x.data(), depth, 1};
    const kernel::matrix_view<float> c{y.data(), static_cast<std::ptrdiff_t>(n), 1};
    threads pool(static_cast<int>(state.range(3)));
    pool.run([&] {
        for (auto _ : state) {
            if constexpr (Format == storage::plain)
                kernel::gemm<float>(m, n, k, a, {w.data(), row_stride, column_stride}, c, false);
            else
                kernel::gemm_quantized<float>(m, n, k, a, kernel::stored_view{stored, 0, row_stride, column_stride}, c,
                                              false);
            benchmark::DoNotOptimize(y.data());
        }
    });
    const double each = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    state.counters["flops"] = benchmark::Counter(each * static_cast<double>(state.iterations()),
                                                 benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
    state.counters["bits"] = layout.bits_per_weight();
}

void shapes(benchmark::internal::Benchmark* b) {
    for (std::int64_t threads : {1, 2})
        for (std::int64_t rows : {256, 1024})
            for (auto [in, out] : {std::pair<std::int64_t, std::int64_t>{768, 2304}, {768, 3072}, {3072, 768}})
                b->Args({rows, in, out, threads});
    b->UseRealTime();
}

constexpr bool forward = false, backward = true;
BENCHMARK(product<storage::plain, forward>)->Name("quantized/forward/numbers")->Apply(shapes);
BENCHMARK(product<storage::bfloat16, forward>)->Name("quantized/forward/bfloat16")->Apply(shapes);
BENCHMARK(product<storage::int8, forward>)->Name("quantized/forward/int8")->Apply(shapes);
BENCHMARK(product<storage::nf4, forward>)->Name("quantized/forward/nf4")->Apply(shapes);
BENCHMARK(product<storage::plain, backward>)->Name("quantized/backward/numbers")->Apply(shapes);
BENCHMARK(product<storage::bfloat16, backward>)->Name("quantized/backward/bfloat16")->Apply(shapes);
BENCHMARK(product<storage::int8, backward>)->Name("quantized/backward/int8")->Apply(shapes);
BENCHMARK(product<storage::nf4, backward>)->Name("quantized/backward/nf4")->Apply(shapes);

template <storage Format>
void reading(benchmark::State& state) {
    const auto w = numbers_of(768 * 128);
    const kernel::storage_layout layout{Format, w.size(), 768};
    std::vector<std::byte> record(layout.bytes());
    kernel::quantize(layout, w.data(), record.data());
    std::vector<float> read(w.size());
    for (auto _ : state) {
        kernel::dequantize_run(kernel::stored_matrix{layout, record.data()}, 0, w.size(), read.data());
        benchmark::DoNotOptimize(read.data());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(w.size()));
}
BENCHMARK(reading<storage::bfloat16>)->Name("quantized/read/bfloat16");
BENCHMARK(reading<storage::int8>)->Name("quantized/read/int8");
BENCHMARK(reading<storage::fp4>)->Name("quantized/read/fp4");
BENCHMARK(reading<storage::nf4>)->Name("quantized/read/nf4");

}  // namespace

BENCHMARK_MAIN();
