// SPDX-License-Identifier: MIT
// Products of bfloat16 numbers with float results, of the sizes in gemm_bench: of floats that are rounded on the way,
// and of numbers that are stored so ("gemm_bfloat16_stored"). oneDNN, where it is installed, multiplies by its matmul
// primitive, which is made before the loop; floats are rounded by its reorders within it.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <tenet/kernel/gemm_bf16.hpp>
#include <tenet/parallel/threads.hpp>

#include "products.hpp"

#ifdef TENET_BENCH_ONEDNN
#include <omp.h>
#include <dnnl.hpp>
#endif

namespace {

using namespace products;
using tenet::bfloat16;
using tenet::kernel::matrix_view;

enum class engine { tenet, onednn };

#ifdef TENET_BENCH_ONEDNN
/// c = a b, or c += a b, by oneDNN; strides are those of the views.
template <class T>
class onednn_product {
public:
    onednn_product(std::int64_t m, std::int64_t n, std::int64_t k, matrix_view<T const> a, matrix_view<T const> b,
                   matrix_view<float> c, bool accumulate)
        : a_(memory_of(a, m, k)), b_(memory_of(b, k, n)), c_(memory_of(c, m, n)) {
        rounded_a_ = rounded(a_, a, m, k);
        rounded_b_ = rounded(b_, b, k, n);
        dnnl::primitive_attr attributes;
        if (accumulate) {
            dnnl::post_ops after;
            after.append_sum(1.0f);
            attributes.set_post_ops(after);
        }
        const dnnl::matmul::desc product(rounded_a_.get_desc(), rounded_b_.get_desc(), c_.get_desc());
        product_ = dnnl::matmul(dnnl::matmul::primitive_desc(product, attributes, engine_));
        if constexpr (std::is_same_v<T, float>) {
            round_a_ = dnnl::reorder(a_, rounded_a_);
            round_b_ = dnnl::reorder(b_, rounded_b_);
        }
    }
    void operator()() {
        if constexpr (std::is_same_v<T, float>) {
            round_a_.execute(stream_, a_, rounded_a_);
            round_b_.execute(stream_, b_, rounded_b_);
        }
        product_.execute(stream_, {{DNNL_ARG_SRC, rounded_a_}, {DNNL_ARG_WEIGHTS, rounded_b_}, {DNNL_ARG_DST, c_}});
        stream_.wait();
    }

private:
    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    dnnl::memory a_, b_, c_, rounded_a_, rounded_b_;
    dnnl::matmul product_;
    dnnl::reorder round_a_, round_b_;

    template <class S>
    dnnl::memory memory_of(matrix_view<S> v, std::int64_t rows, std::int64_t columns) {
        using type = dnnl::memory::data_type;
        constexpr type of_s = std::is_same_v<std::remove_const_t<S>, float> ? type::f32 : type::bf16;
        return {{{rows, columns}, of_s, dnnl::memory::dims{v.row_stride, v.column_stride}},
                engine_,
                const_cast<std::remove_const_t<S>*>(v.data)};  // which it only reads
    }
    dnnl::memory rounded(dnnl::memory const& from, matrix_view<T const> v, std::int64_t rows, std::int64_t columns) {
        if constexpr (std::is_same_v<T, bfloat16>) return from;
        return {{{rows, columns}, dnnl::memory::data_type::bf16, dnnl::memory::dims{v.row_stride, v.column_stride}},
                engine_};
    }
};
#endif

template <form Form, class T, engine Engine = engine::tenet>
void product(benchmark::State& state) {
    const std::int64_t m = state.range(0), n = state.range(1), k = state.range(2);
    const auto threads = static_cast<int>(state.range(3));
    const auto numbers = [](std::int64_t count) {
        const buffer floats = make_buffer(static_cast<std::size_t>(count));
        std::vector<T> v(static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < v.size(); ++i) v[i] = T(floats[i]);
        return v;
    };
    const std::vector<T> a = numbers(m * k), b = numbers(k * n);
    const buffer c = make_buffer(static_cast<std::size_t>(m * n));
    const matrix_view<T const> av =
        Form == form::tn ? matrix_view<T const>{a.data(), 1, m} : matrix_view<T const>{a.data(), k, 1};
    const matrix_view<T const> bv =
        Form == form::nt ? matrix_view<T const>{b.data(), 1, k} : matrix_view<T const>{b.data(), n, 1};
    const matrix_view<float> cv{c.get(), n, 1};
    constexpr bool accumulate = Form == form::tn;
    tenet::with_threads(threads, [&] {
        if constexpr (Engine == engine::tenet) {
            for (auto _ : state) {
                tenet::kernel::gemm_bf16<T, T>(m, n, k, av, bv, cv, accumulate);
                benchmark::ClobberMemory();
            }
        } else {
#ifdef TENET_BENCH_ONEDNN
            omp_set_num_threads(threads);
            onednn_product<T> multiply(m, n, k, av, bv, cv, accumulate);
            for (auto _ : state) {
                multiply();
                benchmark::ClobberMemory();
            }
#endif
        }
    });
    count_product(state, static_cast<double>(m), static_cast<double>(n), static_cast<double>(k), accumulate, sizeof(T));
}

BENCHMARK(product<form::nn, float>)->Name("gemm_bfloat16/nn/tenet")->Apply(forward_shapes);
BENCHMARK(product<form::nt, float>)->Name("gemm_bfloat16/nt/tenet")->Apply(forward_shapes);
BENCHMARK(product<form::tn, float>)->Name("gemm_bfloat16/tn/tenet")->Apply(weight_shapes);
BENCHMARK(product<form::nn, bfloat16>)->Name("gemm_bfloat16_stored/nn/tenet")->Apply(forward_shapes);
BENCHMARK(product<form::nt, bfloat16>)->Name("gemm_bfloat16_stored/nt/tenet")->Apply(forward_shapes);
BENCHMARK(product<form::tn, bfloat16>)->Name("gemm_bfloat16_stored/tn/tenet")->Apply(weight_shapes);
#ifdef TENET_BENCH_ONEDNN
BENCHMARK(product<form::nn, float, engine::onednn>)->Name("gemm_bfloat16/nn/onednn")->Apply(forward_shapes);
BENCHMARK(product<form::nt, float, engine::onednn>)->Name("gemm_bfloat16/nt/onednn")->Apply(forward_shapes);
BENCHMARK(product<form::tn, float, engine::onednn>)->Name("gemm_bfloat16/tn/onednn")->Apply(weight_shapes);
BENCHMARK(product<form::nn, bfloat16, engine::onednn>)->Name("gemm_bfloat16_stored/nn/onednn")->Apply(forward_shapes);
BENCHMARK(product<form::nt, bfloat16, engine::onednn>)->Name("gemm_bfloat16_stored/nt/onednn")->Apply(forward_shapes);
BENCHMARK(product<form::tn, bfloat16, engine::onednn>)->Name("gemm_bfloat16_stored/tn/onednn")->Apply(weight_shapes);
#endif

}  // namespace

BENCHMARK_MAIN();
