// SPDX-License-Identifier: MIT
// Epilogues of matrix products against the formula in double precision, over layouts, sizes, batches, blocks of k and
// thread counts.
#define BOOST_TEST_MODULE gemm_epilogue
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

#include <tenet/base/constant.hpp>
#include <tenet/kernel/dropout.hpp>
#include <tenet/kernel/gemm.hpp>
#include <tenet/parallel/threads.hpp>

namespace {

using namespace tenet::kernel;
using tenet::constant;

double apply(activation f, double x) {
    switch (f) {
    case activation::relu: return std::fmax(x, 0);
    case activation::gelu: return 0.5 * x * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    case activation::gelu_erf: return 0.5 * x * (1 + std::erf(x * 0.7071067811865476));
    case activation::silu: return x / (1 + std::exp(-x));
    case activation::none: break;
    }
    return x;
}

/// Which parts an epilogue has: one bit each.
enum part : unsigned { row_bias = 1, column_bias = 2, kept = 4, residual = 8, dropped = 16, scaled = 32, all = 63 };

template <class T>
struct problem {
    std::size_t m, n, k, entries = 1;
    bool column_major = false, b_columns = false, accumulate = false;
    unsigned parts = all;
    activation f = activation::none;

    std::vector<T> random(std::size_t size, unsigned seed) const {
        std::mt19937 engine(seed);
        std::uniform_real_distribution<T> uniform(T(-1), T(1));
        std::vector<T> v(size);
        for (T& x : v) x = uniform(engine);
        return v;
    }
    struct result {
        std::vector<T> c, kept;
    };

    std::vector<T> a = {}, b = {}, c = {}, rows = {}, columns = {}, added = {};
    std::size_t row = 0, column = 0;

    void prepare() {
        a = random(entries * m * k, 1);
        b = random(k * n, 2);
        row = column_major ? 1 : n + 3;
        column = column_major ? m + 2 : 1;
        c = random(entries * (column_major ? (m + 2) * n : m * (n + 3)), 3);
        rows = random(m, 4);
        columns = random(n, 5);
        added = random(c.size(), 6);
    }
    std::size_t entry_size() const { return c.size() / entries; }

    epilogue<T> finish(T* keep) const {
        epilogue<T> e;
        if (parts & scaled) e.scale = T(0.25);
        if (parts & row_bias) e.row_bias = rows.data();
        if (parts & column_bias) e.column_bias = columns.data();
        if (parts & kept) e.kept = keep;
        if (parts & residual) e.residual = added.data();
        if (parts & dropped) e.rate = 0.25f, e.key = 0x123456789abcdefu;
        e.f = f;
        return e;
    }

    template <class M, class N, class K>
    result run(M sm, N sn, K sk, int threads) const {
        result r{c, std::vector<T>(c.size(), T(7))};
        const auto i = [](std::size_t x) { return static_cast<std::ptrdiff_t>(x); };
        const matrix_view<T const> bv =
            b_columns ? matrix_view<T const>{b.data(), 1, i(k)} : matrix_view<T const>{b.data(), i(n), 1};
        gemm_batch batch;
        batch.rank = 1;
        batch.count[0] = entries;
        batch.a[0] = i(m * k);
        batch.c[0] = i(entry_size());
        tenet::with_threads(threads, [&] {
            gemm<T>(sm, sn, sk, matrix_view<T const>{a.data(), i(k), 1}, bv,
                    matrix_view<T>{r.c.data(), i(row), i(column)}, accumulate, finish(r.kept.data()), batch);
        });
        return r;
    }

    void check() {
        prepare();
        verify(run(m, n, k, 1));
    }
    void verify(result const& r) const {
        const double eps = static_cast<double>(std::numeric_limits<T>::epsilon()) * (16 + static_cast<double>(k));
        double worst = 0;
        std::vector<char> inside(c.size(), 0);
        for (std::size_t e = 0; e < entries; ++e)
            for (std::size_t i = 0; i < m; ++i)
                for (std::size_t j = 0; j < n; ++j) {
                    const std::size_t o = e * entry_size() + i * row + j * column;
                    double z = 0;
                    for (std::size_t s = 0; s < k; ++s)
                        z += double{a[(e * m + i) * k + s]} * double{b_columns ? b[j * k + s] : b[s * n + j]};
                    if (parts & scaled) z *= 0.25;
                    if (accumulate) z += double{c[o]};
                    if (parts & row_bias) z += double{rows[i]};
                    if (parts & column_bias) z += double{columns[j]};
                    if (parts & kept) worst = std::fmax(worst, std::fabs(double{r.kept[o]} - z));
                    double y = apply(f, z);
                    if (parts & dropped) y = dropout_uniform_at(0x123456789abcdefu, o) >= 0.25f ? y / 0.75 : 0;
                    if (parts & residual) y += double{added[o]};
                    if (std::isnan(r.c[o])) worst = 1e30;
                    worst = std::fmax(worst, std::fabs(double{r.c[o]} - y));
                    inside[o] = 1;
                }
        for (std::size_t o = 0; o < c.size(); ++o)
            if (!inside[o] && (std::memcmp(&r.c[o], &c[o], sizeof(T)) != 0 || r.kept[o] != T(7))) worst = 2e30;
        BOOST_TEST(worst < eps, "m " << m << " n " << n << " k " << k << " parts " << parts << " f " << int(f)
                                     << " column major " << column_major << " accumulate " << accumulate << ": error "
                                     << worst);
    }
};

constexpr activation every_activation[] = {activation::none, activation::relu, activation::gelu, activation::gelu_erf,
                                           activation::silu};

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(every_part_alone_and_all, T, decltype(std::tuple<float, double>())) {
    for (unsigned parts : {0u, 1u, 2u, 4u, 8u, 16u, 32u, 63u})
        for (activation f : every_activation)
            for (bool column_major : {false, true})
                for (bool accumulate : {false, true})
                    problem<T>{.m = 19,
                               .n = 53,
                               .k = 33,
                               .column_major = column_major,
                               .accumulate = accumulate,
                               .parts = parts,
                               .f = f}
                        .check();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(sizes_and_blocks, T, decltype(std::tuple<float, double>())) {
    const std::size_t sizes[][3] = {{1, 300, 40},  {300, 1, 40},  {1, 1, 1},       {2, 2, 600}, {8, 48, 128},
                                    {40, 96, 130}, {17, 65, 700}, {30, 130, 1200}, {3, 700, 5}, {9, 10, 0}};
    for (auto const& [m, n, k] : sizes)
        for (bool column_major : {false, true})
            for (bool b_columns : {false, true})
                for (bool accumulate : {false, true})
                    problem<T>{.m = m,
                               .n = n,
                               .k = k,
                               .column_major = column_major,
                               .b_columns = b_columns,
                               .accumulate = accumulate,
                               .f = activation::gelu}
                        .check();
}

BOOST_AUTO_TEST_CASE(static_sizes) {
    problem<float> p{.m = 8, .n = 16, .k = 8, .f = activation::relu};
    p.prepare();
    p.verify(p.run(constant<8>{}, constant<16>{}, constant<8>{}, 1));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(batches_and_threads, T, decltype(std::tuple<float, double>())) {
    const std::size_t sizes[][4] = {{100, 150, 90, 3}, {30, 35, 600, 16}, {1, 4000, 300, 1}, {600, 65, 100, 1}};
    for (auto const& [m, n, k, entries] : sizes)
        for (bool column_major : {false, true}) {
            problem<T> p{
                .m = m, .n = n, .k = k, .entries = entries, .column_major = column_major, .f = activation::gelu};
            p.prepare();
            const auto one = p.run(m, n, k, 1);
            p.verify(one);
            for (int threads : {2, 3}) {
                const auto more = p.run(m, n, k, threads);
                BOOST_TEST((one.c == more.c && one.kept == more.kept), "m " << m << " threads " << threads);
            }
        }
}

BOOST_AUTO_TEST_CASE(extremes_of_activations) {
    // One product of 1 x 1 with each number: infinities and NaN go through the epilogue as through the formula.
    const float infinity = std::numeric_limits<float>::infinity();
    for (activation f : every_activation)
        for (float x : {0.0f, -0.0f, 1e-30f, -1e-30f, 5.0f, -5.0f, -12.0f, 100.0f, -100.0f, 1e30f, infinity,
                        std::numeric_limits<float>::quiet_NaN()}) {
            const float one = 1;
            float y = 0;
            epilogue<float> e;
            e.f = f;
            gemm<float>(std::size_t{1}, std::size_t{1}, std::size_t{1}, {&x, 1, 1}, {&one, 1, 1}, {&y, 1, 1}, false, e);
            if (std::isnan(x)) {
                BOOST_TEST(std::isnan(y), "f " << int(f));
            } else if (std::isinf(x)) {
                BOOST_TEST(y == x, "f " << int(f));
            } else {
                const double expected = apply(f, double{x});
                BOOST_TEST(std::fabs(double{y} - expected) <= 2e-6 * std::fabs(expected) + 1e-7,
                           "f " << int(f) << " x " << x << " y " << y << " expected " << expected);
            }
        }
}
