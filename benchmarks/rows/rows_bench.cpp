// SPDX-License-Identifier: MIT
// Loops over rows and elements, beside Eigen and xtensor: functions, softmax, layer norm, cross-entropy, AdamW.
// The counter "bytes" is the memory that must be read and written, a second; "rows/scale" and "rows/copy" are what
// memory can do.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include <tenet/kernel/cross_entropy.hpp>
#include <tenet/kernel/layer_norm.hpp>
#include <tenet/kernel/optimizer.hpp>
#include <tenet/kernel/softmax.hpp>
#include <tenet/op.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/parallel/threads.hpp>
#include <tenet/program.hpp>
#include <tenet/tensor/memory.hpp>

#ifdef TENET_BENCH_EIGEN
#include <Eigen/Dense>
#endif
#ifdef TENET_BENCH_XTENSOR
#include <xtensor/xadapt.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xtensor.hpp>
#endif

namespace {

using namespace tenet;

void count_bytes(benchmark::State& state, double each) {
    state.counters["bytes"] = benchmark::Counter(each * static_cast<double>(state.iterations()),
                                                 benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
}

template <class Tensor>
void fill(Tensor& t) {
    std::size_t i = 0;
    for (auto& v : t) v = static_cast<float>((i++ * 7919) % 1009) / 252.25f - 1.9f;
}

/// Aligned to a line, as tensors and the peers' arrays are.
template <class T>
struct line_allocator {
    using value_type = T;
    line_allocator() = default;
    template <class U>
    line_allocator(line_allocator<U> const&) {}
    T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{64})); }
    void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t{64}); }
    bool operator==(line_allocator const&) const = default;
};
using numbers = std::vector<float, line_allocator<float>>;

// 16 K numbers lie in the second-level cache, 16 M in memory.
template <std::size_t N>
struct Elements : axis<N> {};
constexpr std::size_t cached = 16 << 10, large = 16 << 20;

struct of_gelu {
    static auto tenet(auto const& x) { return gelu(x); }
#ifdef TENET_BENCH_EIGEN
    static auto eigen(auto const& x) {
        return 0.5f * x * (1.0f + (0.7978845608f * (x + 0.044715f * x * x * x)).tanh());
    }
#endif
#ifdef TENET_BENCH_XTENSOR
    static auto xtensor(auto const& x) {
        return 0.5f * x * (1.0f + xt::tanh(0.7978845608f * (x + 0.044715f * x * x * x)));
    }
#endif
};
struct of_exp {
    static auto tenet(auto const& x) { return exp(x); }
#ifdef TENET_BENCH_EIGEN
    static auto eigen(auto const& x) { return x.exp(); }
#endif
#ifdef TENET_BENCH_XTENSOR
    static auto xtensor(auto const& x) { return xt::exp(x); }
#endif
};
struct of_tanh {
    static auto tenet(auto const& x) { return tanh(x); }
#ifdef TENET_BENCH_EIGEN
    static auto eigen(auto const& x) { return x.tanh(); }
#endif
#ifdef TENET_BENCH_XTENSOR
    static auto xtensor(auto const& x) { return xt::tanh(x); }
#endif
};

template <class F, std::size_t N>
void elements_tenet(benchmark::State& state) {
    tensor<float, Elements<N>> x, y;
    fill(x);
    for (auto _ : state) {
        y = F::tenet(x);
        benchmark::ClobberMemory();
    }
    count_bytes(state, 8.0 * N);
}
template <std::size_t Rows, std::size_t N>
void softmax_tenet(benchmark::State& state) {
    numbers x(Rows * N), y(Rows * N);
    fill(x);
    for (auto _ : state) {
        kernel::softmax(x.data(), y.data(), Rows, constant<N>{}, std::size_t{1});
        benchmark::ClobberMemory();
    }
    count_bytes(state, 8.0 * Rows * N);
}
template <std::size_t Rows, std::size_t N>
void layer_norm_tenet(benchmark::State& state) {
    numbers x(Rows * N), y(Rows * N), gain(N, 1), bias(N, 0), mean(Rows), rstd(Rows);
    fill(x);
    for (auto _ : state) {
        kernel::layer_norm(x.data(), gain.data(), bias.data(), y.data(), mean.data(), rstd.data(), Rows, constant<N>{},
                           1e-5f);
        benchmark::ClobberMemory();
    }
    count_bytes(state, 8.0 * Rows * N);
}
template <std::size_t Rows, std::size_t N, std::size_t Padded>
void cross_entropy_tenet(benchmark::State& state) {
    numbers x(Rows * Padded), lse(2 * Rows), losses(Rows), dx(Rows * Padded);
    std::vector<std::int32_t> targets(Rows, 3);
    fill(x);
    float loss = 0;
    const float dloss = 1;
    for (auto _ : state) {
        kernel::cross_entropy<float>(x.data(), targets.data(), &loss, lse.data(), losses.data(), Rows,
                                     constant<Padded>{}, N, -100, 0.0f, true);
        kernel::cross_entropy_backward<float>(x.data(), targets.data(), lse.data(), &dloss, dx.data(), Rows,
                                              constant<Padded>{}, N, -100, 0.0f, true);
        benchmark::ClobberMemory();
    }
    count_bytes(state, 12.0 * Rows * N);
}
void adamw_tenet(benchmark::State& state) {
    const std::size_t n = large;
    const auto w = allocate<float>(n), g = allocate<float>(n), m = allocate<float>(n), v = allocate<float>(n);
    for (std::size_t i = 0; i < n; ++i) g[i] = static_cast<float>(i % 1009) / 504.5f - 1.0f;
    kernel::adamw_step step{};
    step.lr = 1e-3;
    for (auto _ : state) {
        kernel::adamw(w.get(), g.get(), m.get(), v.get(), n, step);
        benchmark::ClobberMemory();
    }
    count_bytes(state, 28.0 * static_cast<double>(n));
}
// What memory can do: as many bytes as AdamW's arrays have, in place; and a copy, which reads what it overwrites.
void scale_in_place(benchmark::State& state) {
    const std::size_t n = 4 * large;
    const auto x = allocate<float>(n);
    std::fill_n(x.get(), n, 1.0f);
    for (auto _ : state) {
        kernel::scale(x.get(), n, 1.0001f);
        benchmark::ClobberMemory();
    }
    count_bytes(state, 8.0 * static_cast<double>(n));
}
void copy(benchmark::State& state) {
    const auto from = allocate<float>(large), to = allocate<float>(large);
    std::fill_n(from.get(), large, 1.0f);
    for (auto _ : state) {
        parallel_for(large, large / 64, [&](std::size_t begin, std::size_t end) {
            std::copy(from.get() + begin, from.get() + end, to.get() + begin);
        });
        benchmark::ClobberMemory();
    }
    count_bytes(state, 8.0 * static_cast<double>(large));
}

#define TENET_ROWS(library)                                                               \
    BENCHMARK(elements_##library<of_exp, cached>)->Name("rows/exp_16K/" #library);        \
    BENCHMARK(elements_##library<of_tanh, cached>)->Name("rows/tanh_16K/" #library);      \
    BENCHMARK(elements_##library<of_gelu, cached>)->Name("rows/gelu_16K/" #library);      \
    BENCHMARK(elements_##library<of_gelu, large>)->Name("rows/gelu_16M/" #library);       \
    BENCHMARK(softmax_##library<768, 64>)->Name("rows/softmax_768x64/" #library);         \
    BENCHMARK(softmax_##library<64, 50257>)->Name("rows/softmax_64x50257/" #library);     \
    BENCHMARK(layer_norm_##library<768, 128>)->Name("rows/layer_norm_768x128/" #library); \
    BENCHMARK(layer_norm_##library<4096, 768>)->Name("rows/layer_norm_4096x768/" #library)
TENET_ROWS(tenet);
BENCHMARK(cross_entropy_tenet<768, 65, 80>)->Name("rows/cross_entropy_768x65/tenet");
BENCHMARK(cross_entropy_tenet<64, 50257, 50304>)->Name("rows/cross_entropy_64x50257/tenet");
BENCHMARK(adamw_tenet)->Name("rows/adamw_16M/tenet");
BENCHMARK(scale_in_place)->Name("rows/scale_64M/tenet");
BENCHMARK(copy)->Name("rows/copy_16M/tenet");

#ifdef TENET_BENCH_EIGEN
using array = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class F, std::size_t N>
void elements_eigen(benchmark::State& state) {
    Eigen::ArrayXf x(N), y(N);
    fill(x);
    for (auto _ : state) {
        y = F::eigen(x);
        benchmark::ClobberMemory();
    }
    count_bytes(state, 8.0 * N);
}
template <std::size_t Rows, std::size_t N>
void softmax_eigen(benchmark::State& state) {
    array x(Rows, N), y(Rows, N);
    for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i % 97) * 0.02f;
    for (auto _ : state) {
        // Row by row, so that a row is in the cache when it is read again.
        for (Eigen::Index i = 0; i < x.rows(); ++i) {
            auto row = y.row(i);
            row = (x.row(i) - x.row(i).maxCoeff()).exp();
            row *= 1.0f / row.sum();
        }
        benchmark::ClobberMemory();
    }
    count_bytes(state, 8.0 * Rows * N);
}
template <std::size_t Rows, std::size_t N>
void layer_norm_eigen(benchmark::State& state) {
    array x(Rows, N), y(Rows, N);
    Eigen::Array<float, 1, Eigen::Dynamic, Eigen::RowMajor> gain(N), bias(N);
    gain.setOnes();
    bias.setZero();
    for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i % 97) * 0.02f;
    for (auto _ : state) {
        for (Eigen::Index i = 0; i < x.rows(); ++i) {
            const float mean = x.row(i).mean();
            auto row = y.row(i);
            row = x.row(i) - mean;
            const float rstd = 1.0f / std::sqrt(row.square().mean() + 1e-5f);
            row = row * (rstd * gain) + bias;
        }
        benchmark::ClobberMemory();
    }
    count_bytes(state, 8.0 * Rows * N);
}
TENET_ROWS(eigen);
#endif

#ifdef TENET_BENCH_XTENSOR
template <class F, std::size_t N>
void elements_xtensor(benchmark::State& state) {
    xt::xtensor<float, 1> x = xt::zeros<float>({N}), y = x;
    fill(x);
    for (auto _ : state) {
        xt::noalias(y) = F::xtensor(x);
        benchmark::ClobberMemory();
    }
    count_bytes(state, 8.0 * N);
}
template <std::size_t Rows, std::size_t N>
void softmax_xtensor(benchmark::State& state) {
    xt::xtensor<float, 2> x = xt::zeros<float>({Rows, N}), y = x;
    fill(x);
    for (auto _ : state) {
        const xt::xtensor<float, 2> e =
            xt::exp(x - xt::amax(x, {1}, xt::keep_dims | xt::evaluation_strategy::immediate));
        xt::noalias(y) = e / xt::sum(e, {1}, xt::keep_dims | xt::evaluation_strategy::immediate);
        benchmark::ClobberMemory();
    }
    count_bytes(state, 8.0 * Rows * N);
}
template <std::size_t Rows, std::size_t N>
void layer_norm_xtensor(benchmark::State& state) {
    xt::xtensor<float, 2> x = xt::zeros<float>({Rows, N}), y = x;
    const xt::xtensor<float, 1> gain = xt::ones<float>({N}), bias = xt::zeros<float>({N});
    fill(x);
    const auto now = xt::keep_dims | xt::evaluation_strategy::immediate;
    for (auto _ : state) {
        const xt::xtensor<float, 2> centred = x - xt::mean(x, {1}, now);
        const xt::xtensor<float, 2> rstd = 1.0f / xt::sqrt(xt::mean(centred * centred, {1}, now) + 1e-5f);
        xt::noalias(y) = centred * rstd * gain + bias;
        benchmark::ClobberMemory();
    }
    count_bytes(state, 8.0 * Rows * N);
}
TENET_ROWS(xtensor);
#endif

}  // namespace

// On one thread: that is what the peers use.
int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    tenet::with_threads(1, [] { benchmark::RunSpecifiedBenchmarks(); });
    benchmark::Shutdown();
    return 0;
}
