// SPDX-License-Identifier: MIT
// Stored matrices times a vector against sums of the dequantised numbers in double precision, over formats, sizes,
// offsets and thread counts; and of int8 with a rounded vector against its definition.
#define BOOST_TEST_MODULE gemv_quantized
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <random>
#include <vector>

#include <tenet/kernel/gemm_quantized.hpp>
#include <tenet/kernel/gemv_quantized.hpp>
#include <tenet/kernel/gemv_rounded.hpp>
#include <tenet/kernel/quantize.hpp>
#include <tenet/parallel/threads.hpp>

namespace {

using namespace tenet;
using namespace tenet::kernel;

std::vector<float> random_vector(std::size_t n, unsigned seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    std::vector<float> v(n);
    for (float& x : v) x = normal(engine);
    return v;
}

struct stored {
    storage_layout layout;
    std::vector<std::byte> record;
    std::vector<float> numbers;

    stored(storage f, std::size_t rows, std::size_t columns)
        : layout{f, rows * columns, columns}, record(layout.bytes()), numbers(rows * columns) {
        const auto w = random_vector(rows * columns, 1);
        quantize(layout, w.data(), record.data());
        dequantize(matrix(), numbers.data());
    }
    stored_matrix matrix() const { return {layout, record.data()}; }
};

/// What may be lost of the sum of k terms' absolute values: float's rounding, or that to 16 bits, which is independent
/// from term to term.
double tolerance_of(storage f, std::size_t k) {
    const bool rounded = simd::has_byte_tables && f != storage::bfloat16;
    return 2e-6 + (rounded ? 5e-4 / std::sqrt(static_cast<double>(k)) : 0.0);
}

constexpr storage formats[] = {storage::bfloat16, storage::int8, storage::fp4, storage::nf4};

}  // namespace

BOOST_AUTO_TEST_CASE(every_format_and_size) {
    for (storage f : formats)
        for (std::size_t k : std::initializer_list<std::size_t>{1, 2, 31, 32, 64, 65, 100, 128, 192, 256, 300, 768,
                                                                1000, 8192, 8200, 17000})
            for (std::size_t n : {std::size_t{1}, std::size_t{5}, std::size_t{37}}) {
                const stored w(f, n + 2, k);
                const auto x = random_vector(k, 2);
                for (std::size_t skipped : {std::size_t{0}, std::size_t{2}})
                    for (bool accumulate : {false, true}) {
                        std::vector<float> y(2 * n, 3.0f);
                        gemv_quantized(w.matrix(), skipped * k, n, k, x.data(), y.data(), 2, accumulate);
                        double worst = 0;
                        for (std::size_t j = 0; j < n; ++j) {
                            double sum = accumulate ? 3 : 0, size = 1;
                            for (std::size_t i = 0; i < k; ++i) {
                                const double term = double{w.numbers[(skipped + j) * k + i]} * double{x[i]};
                                sum += term;
                                size += std::fabs(term);
                            }
                            worst = std::fmax(worst,
                                              std::isnan(y[2 * j]) ? 1e30 : std::fabs(double{y[2 * j]} - sum) / size);
                            if (y[2 * j + 1] != 3.0f) worst = 2e30;
                        }
                        BOOST_TEST(worst < tolerance_of(f, k), name_of(f)
                                                                   << " n " << n << " k " << k << " error " << worst);
                    }
            }
}

// The matrix as [k, n]: a row of results is a sum of its rows.
BOOST_AUTO_TEST_CASE(rows_of_every_format) {
    for (storage f : formats)
        for (std::size_t k : {std::size_t{1}, std::size_t{5}, std::size_t{64}, std::size_t{300}, std::size_t{768}})
            for (std::size_t n : {std::size_t{64}, std::size_t{192}, std::size_t{2304}}) {
                const stored w(f, k + 2, n);
                const auto x = random_vector(k, 2);
                for (std::size_t first : {std::size_t{0}, 2 * n}) {
                    if (!has_stored_rows(w.matrix(), first, n)) continue;
                    for (bool accumulate : {false, true}) {
                        std::vector<float> y(n, 3.0f), other;
                        gemv_quantized_rows(w.matrix(), first, n, k, x.data(), y.data(), accumulate);
                        double worst = 0;
                        for (std::size_t j = 0; j < n; ++j) {
                            double sum = accumulate ? 3 : 0, size = 1;
                            for (std::size_t i = 0; i < k; ++i) {
                                const double term = double{w.numbers[first + i * n + j]} * double{x[i]};
                                sum += term;
                                size += std::fabs(term);
                            }
                            worst = std::fmax(worst, std::isnan(y[j]) ? 1e30 : std::fabs(double{y[j]} - sum) / size);
                        }
                        BOOST_TEST(worst < tolerance_of(f, k), name_of(f)
                                                                   << " n " << n << " k " << k << " error " << worst);
                        for (int threads : {1, 2, 4}) {
                            other.assign(n, 3.0f);
                            with_threads(threads, [&] {
                                gemv_quantized_rows(w.matrix(), first, n, k, x.data(), other.data(), accumulate);
                            });
                            BOOST_TEST(other == y);
                        }
                    }
                }
            }
    BOOST_TEST(!has_stored_rows(stored(storage::nf4, 3, 100).matrix(), 0, 100));
}

// With what follows a product, as the layers of GPT-2 have it.
BOOST_AUTO_TEST_CASE(rows_with_an_epilogue) {
    const std::size_t n = 128, k = 96;
    for (storage f : formats) {
        const stored w(f, k, n);
        const auto x = random_vector(k, 2), bias = random_vector(n, 3), residual = random_vector(n, 4);
        std::vector<float> y(n), plain(n);
        epilogue<float> finish;
        finish.column_bias = bias.data();
        finish.f = activation::gelu;
        finish.residual = residual.data();
        const auto row = static_cast<std::ptrdiff_t>(n);
        gemm_quantized<float>(1, n, k, {x.data(), static_cast<std::ptrdiff_t>(k), 1}, {w.matrix(), 0, row, 1},
                              {y.data(), row, 1}, false, finish);
        gemm<float>(1, n, k, {x.data(), static_cast<std::ptrdiff_t>(k), 1}, {w.numbers.data(), row, 1},
                    {plain.data(), row, 1}, false, finish);
        for (std::size_t j = 0; j < n; ++j)
            BOOST_TEST(std::fabs(y[j] - plain[j]) < (f == storage::bfloat16 ? 1e-4f : 3e-3f));
    }
}

// Numbers far larger than their neighbours cost those digits, not more; what is not finite stays visible.
BOOST_AUTO_TEST_CASE(extremes) {
    const std::size_t n = 256, k = 256;
    for (storage f : {storage::int8, storage::fp4, storage::nf4}) {
        const stored w(f, k, n);
        for (float outlier : {0.0f, 1e-38f, 1e-30f, 300.0f, 1e30f}) {
            auto x = random_vector(k, 5);
            if (outlier < 1)
                for (float& v : x) v *= outlier;
            else x[77] = outlier;
            for (bool rows : {false, true}) {
                if (rows && !has_stored_rows(w.matrix(), 0, n)) continue;
                std::vector<float> y(n);
                if (rows) gemv_quantized_rows(w.matrix(), 0, n, k, x.data(), y.data(), false);
                else gemv_quantized(w.matrix(), 0, n, k, x.data(), y.data(), 1, false);
                double worst = 0;
                for (std::size_t j = 0; j < n; ++j) {
                    double sum = 0, size = 1e-32;
                    for (std::size_t i = 0; i < k; ++i) {
                        const double number = double{w.numbers[rows ? i * n + j : j * k + i]};
                        sum += number * double{x[i]};
                        size += std::fabs(double{x[i]}) * 3;  // blocks of random numbers reach to about 3
                    }
                    worst = std::fmax(worst, std::isnan(y[j]) ? 1e30 : std::fabs(double{y[j]} - sum) / size);
                }
                // Of products of two rounded numbers the lowest bits are lost too.
                const double most = f == storage::nf4 ? 2e-4 : 1e-4;
                BOOST_TEST(worst < most, name_of(f) << " outlier " << outlier << " rows " << rows << " " << worst);
            }
        }
        for (float strange : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
            auto x = random_vector(k, 5);
            x[100] = strange;
            std::vector<float> y(n);
            gemv_quantized(w.matrix(), 0, n, k, x.data(), y.data(), 1, false);
            for (std::size_t j = 0; j < n; ++j) BOOST_TEST(!std::isfinite(y[j]));
            if (!has_stored_rows(w.matrix(), 0, n)) continue;
            gemv_quantized_rows(w.matrix(), 0, n, k, x.data(), y.data(), false);
            for (std::size_t j = 0; j < n; ++j) BOOST_TEST(!std::isfinite(y[j]));
        }
    }
}

BOOST_AUTO_TEST_CASE(products_of_one_row_take_it) {
    const std::size_t n = 2000, k = 384;
    for (storage f : formats) {
        const stored w(f, n, k);
        const auto x = random_vector(k, 3);
        std::vector<float> direct(n), y(n);
        gemv_quantized(w.matrix(), 0, n, k, x.data(), direct.data(), 1, false);
        for (int threads : {1, 2, 3}) {
            std::fill(y.begin(), y.end(), 0.0f);
            with_threads(threads, [&] {
                gemm_quantized<float>(std::size_t{1}, n, k, {x.data(), static_cast<std::ptrdiff_t>(k), 1},
                                      stored_view{w.matrix(), 0, 1, static_cast<std::ptrdiff_t>(k)},
                                      {y.data(), static_cast<std::ptrdiff_t>(n), 1}, false);
            });
            BOOST_TEST((y == direct), name_of(f) << " threads " << threads);
        }
    }
}

BOOST_AUTO_TEST_CASE(rounded_vectors) {
    for (std::size_t k : std::initializer_list<std::size_t>{1, 63, 64, 65, 128, 768, 1000, 8192, 8300})
        for (std::size_t n : {std::size_t{1}, std::size_t{40}}) {
            const stored w(storage::int8, n + 3, k);
            auto x = random_vector(k, 4);
            if (k > 128) std::fill(x.begin() + 64, x.begin() + 128, 0.0f);  // a run of zeros
            std::vector<float> y(n);
            gemv_int8_rounded(w.matrix(), 3, n, x.data(), y.data());
            auto const* codes = reinterpret_cast<std::int8_t const*>(w.record.data());
            for (std::size_t j = 0; j < n; ++j) {
                double rounded = 0, exact = 0, size = 0;
                for (std::size_t b = 0; b < k; b += 64) {
                    float largest = 0;
                    for (std::size_t i = b; i < std::min(k, b + 64); ++i) largest = std::max(largest, std::fabs(x[i]));
                    double sum = 0;
                    for (std::size_t i = b; i < std::min(k, b + 64); ++i)
                        sum += largest > 0
                                   ? double(codes[(j + 3) * k + i]) * double{std::nearbyint(x[i] * (127 / largest))}
                                   : 0.0;
                    rounded += sum * double{largest / 127};
                    for (std::size_t i = b; i < std::min(k, b + 64); ++i) {
                        exact += double{w.numbers[(j + 3) * k + i]} * double{x[i]};
                        size += std::pow(double{w.numbers[(j + 3) * k + i]} * double{largest}, 2);
                    }
                }
                rounded *= double{w.matrix().row_scale(j + 3)};
                BOOST_TEST(std::fabs(double{y[j]} - rounded) < 1e-5 * std::sqrt(size) + 1e-6);
                // Rounding errors are independent, at most half a step each.
                BOOST_TEST(std::fabs(double{y[j]} - exact) < 0.02 * std::sqrt(size) + 1e-6);
            }
        }
}
