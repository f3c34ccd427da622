// SPDX-License-Identifier: MIT
// kernel/layer_norm and kernel/rms_norm against plain loops in double, at odd sizes, with parts left out, any threads.
#define BOOST_TEST_MODULE kernel_norm
#include "kernel_test.hpp"

#include <tenet/kernel/layer_norm.hpp>
#include <tenet/kernel/rms_norm.hpp>

using namespace kernel_test;
using tenet::constant;
namespace kernel = tenet::kernel;

namespace {

struct norm_reference {
    std::vector<double> y, mean, rstd, dx, dgamma, dbeta;
};

// Layer normalisation, or, without centring, root-mean-square normalisation.
template <class T>
norm_reference reference(bool centred, std::vector<T> const& x, std::vector<T> const& gamma, std::vector<T> const& beta,
                         std::vector<T> const& dy, std::size_t rows, std::size_t n, double eps) {
    norm_reference r;
    r.y.resize(rows * n);
    r.dx.resize(rows * n);
    r.mean.assign(rows, 0);
    r.rstd.resize(rows);
    r.dgamma.assign(n, 0);
    r.dbeta.assign(n, 0);
    const auto d = [](T v) { return static_cast<double>(v); };
    for (std::size_t k = 0; k < rows; ++k) {
        double square = 0, of_g = 0, of_gx = 0;
        const double size = static_cast<double>(n);
        if (centred)
            for (std::size_t i = 0; i < n; ++i) r.mean[k] += d(x[k * n + i]) / size;
        for (std::size_t i = 0; i < n; ++i) square += std::pow(d(x[k * n + i]) - r.mean[k], 2) / size;
        r.rstd[k] = 1 / std::sqrt(square + eps);
        const auto normal = [&](std::size_t i) { return (d(x[k * n + i]) - r.mean[k]) * r.rstd[k]; };
        for (std::size_t i = 0; i < n; ++i) {
            const double g = d(dy[k * n + i]) * d(gamma[i]);
            r.y[k * n + i] = normal(i) * d(gamma[i]) + d(beta[i]);
            of_g += g / size;
            of_gx += g * normal(i) / size;
            r.dgamma[i] += d(dy[k * n + i]) * normal(i);
            r.dbeta[i] += d(dy[k * n + i]);
        }
        for (std::size_t i = 0; i < n; ++i)
            r.dx[k * n + i] = r.rstd[k] * (d(dy[k * n + i]) * d(gamma[i]) - (centred ? of_g : 0) - normal(i) * of_gx);
    }
    return r;
}

template <class T>
std::vector<T> joined(std::initializer_list<std::vector<T>> parts) {
    std::vector<T> all;
    for (auto const& p : parts) all.insert(all.end(), p.begin(), p.end());
    return all;
}

template <class T>
void check(auto rows, auto n, bool affine, double offset) {
    auto x = random_vector<T>(rows * n, 1);
    for (T& v : x) v += static_cast<T>(offset);
    const auto dy = random_vector<T>(rows * n, 2);
    std::vector<T> gamma(n, T(1)), beta(n, T(0));
    if (affine) {
        gamma = random_vector<T>(n, 3, 0.5, 2);
        beta = random_vector<T>(n, 4);
    }
    T const* const g = affine ? gamma.data() : nullptr;
    T const* const b = affine ? beta.data() : nullptr;
    const double bound = 20 * tolerance<T> * std::max(1.0, std::abs(offset)), eps = 1e-5;
    const double row_scale = std::sqrt(static_cast<double>(static_cast<std::size_t>(rows))) + 1;
    {
        const auto want = reference(true, x, gamma, beta, dy, rows, n, eps);
        std::vector<T> y(rows * n), mean(rows), rstd(rows);
        const auto all = on_any_threads([&] {
            kernel::layer_norm(x.data(), g, b, y.data(), mean.data(), rstd.data(), rows, n, T(1e-5));
            return joined({y, mean, rstd});
        });
        BOOST_TEST(largest_error(y, want.y) <= bound, "layer_norm " << rows << " " << n);
        BOOST_TEST(largest_error(mean, want.mean) <= bound);
        BOOST_TEST(largest_error(rstd, want.rstd) <= bound);
        std::vector<T> dx(rows * n), dgamma(n), dbeta(n), work(kernel::layer_norm_backward_workspace(rows, n));
        const auto back = on_any_threads([&] {
            kernel::layer_norm_backward(dy.data(), x.data(), g, mean.data(), rstd.data(), dx.data(), dgamma.data(),
                                        dbeta.data(), work.data(), rows, n);
            return joined({dx, dgamma, dbeta});
        });
        BOOST_TEST(largest_error(dx, want.dx, 2.0) <= bound, "layer_norm_backward " << rows << " " << n);
        BOOST_TEST(largest_error(dgamma, want.dgamma, row_scale) <= bound);
        BOOST_TEST(largest_error(dbeta, want.dbeta, row_scale) <= bound);
        std::vector<T> only_dx(rows * n), only_dgamma(n), only_dbeta(n);
        kernel::layer_norm_backward(dy.data(), x.data(), g, mean.data(), rstd.data(), only_dx.data(), nullptr, nullptr,
                                    nullptr, rows, n);
        BOOST_TEST(largest_error(only_dx, want.dx, 2.0) <= bound);
        kernel::layer_norm_backward(dy.data(), x.data(), g, mean.data(), rstd.data(), nullptr, only_dgamma.data(),
                                    nullptr, work.data(), rows, n);
        kernel::layer_norm_backward(dy.data(), x.data(), g, mean.data(), rstd.data(), nullptr, nullptr,
                                    only_dbeta.data(), work.data(), rows, n);
        BOOST_TEST(same_bits(only_dgamma, dgamma));
        BOOST_TEST(same_bits(only_dbeta, dbeta));
    }
    {
        const std::vector<T> zero(n, T(0));
        const auto want = reference(false, x, gamma, zero, dy, rows, n, eps);
        std::vector<T> y(rows * n), rstd(rows);
        const auto all = on_any_threads([&] {
            kernel::rms_norm(x.data(), g, y.data(), rstd.data(), rows, n, T(1e-5));
            return joined({y, rstd});
        });
        BOOST_TEST(largest_error(y, want.y) <= bound, "rms_norm " << rows << " " << n);
        BOOST_TEST(largest_error(rstd, want.rstd) <= bound);
        std::vector<T> dx(rows * n), dgamma(n), work(kernel::rms_norm_backward_workspace(rows, n));
        const auto back = on_any_threads([&] {
            kernel::rms_norm_backward(dy.data(), x.data(), g, rstd.data(), dx.data(), dgamma.data(), work.data(), rows,
                                      n);
            return joined({dx, dgamma});
        });
        BOOST_TEST(largest_error(dx, want.dx, 2.0) <= bound, "rms_norm_backward " << rows << " " << n);
        BOOST_TEST(largest_error(dgamma, want.dgamma, row_scale) <= bound);
        std::vector<T> only_dx(rows * n), only_dgamma(n);
        kernel::rms_norm_backward(dy.data(), x.data(), g, rstd.data(), only_dx.data(), nullptr, nullptr, rows, n);
        kernel::rms_norm_backward(dy.data(), x.data(), g, rstd.data(), nullptr, only_dgamma.data(), work.data(), rows,
                                  n);
        BOOST_TEST(largest_error(only_dx, want.dx, 2.0) <= bound);
        BOOST_TEST(same_bits(only_dgamma, dgamma));
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(run_time_sizes, T, numbers) {
    for (std::size_t n : {2u, 7u, 16u, 17u, 65u, 384u, 1000u})
        for (std::size_t rows : {1u, 6u, 37u}) check<T>(rows, n, rows != 6, 0);
    check<T>(std::size_t{300}, std::size_t{384}, true, 0);
    check<T>(std::size_t{0}, std::size_t{16}, true, 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(constant_sizes, T, numbers) {
    check<T>(std::size_t{37}, constant<16>{}, true, 0);
    check<T>(std::size_t{37}, constant<65>{}, true, 0);
    check<T>(constant<9>{}, constant<384>{}, false, 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_large_mean_does_not_drown_the_variance, T, numbers) {
    check<T>(std::size_t{5}, std::size_t{384}, true, 100);
}

BOOST_AUTO_TEST_CASE(a_constant_row_gives_beta) {
    const std::vector<float> x(16, 3.0f);
    std::vector<float> y(16), mean(1), rstd(1);
    kernel::layer_norm(x.data(), nullptr, nullptr, y.data(), mean.data(), rstd.data(), 1u, 16u, 1e-5f);
    for (float v : y) BOOST_TEST(v == 0.0f);
    BOOST_TEST(mean[0] == 3.0f);
    BOOST_TEST(rstd[0] == 316.2278f, boost::test_tools::tolerance(1e-6f));
}

BOOST_AUTO_TEST_CASE(results_in_bfloat16_are_the_float_ones_rounded) {
    for (std::size_t n : {2u, 7u, 16u, 17u, 65u, 384u, 1000u}) {
        const std::size_t rows = 37;
        const auto x = random_vector<float>(rows * n, 1), gamma = random_vector<float>(n, 2, 0.5, 2),
                   beta = random_vector<float>(n, 3);
        std::vector<float> y(rows * n), mean(rows), rstd(rows), other_mean(rows), other_rstd(rows);
        kernel::layer_norm(x.data(), gamma.data(), beta.data(), y.data(), mean.data(), rstd.data(), rows, n, 1e-5f);
        const auto layer = on_any_threads([&] {
            std::vector<tenet::bfloat16> z(rows * n);
            kernel::layer_norm(x.data(), gamma.data(), beta.data(), z.data(), other_mean.data(), other_rstd.data(),
                               rows, n, 1e-5f);
            return z;
        });
        BOOST_TEST(same_bits(layer, rounded(y)), "layer_norm " << n);
        BOOST_TEST(same_bits(mean, other_mean));
        BOOST_TEST(same_bits(rstd, other_rstd));
        kernel::rms_norm(x.data(), gamma.data(), y.data(), rstd.data(), rows, n, 1e-5f);
        const auto rms = on_any_threads([&] {
            std::vector<tenet::bfloat16> z(rows * n);
            kernel::rms_norm(x.data(), gamma.data(), z.data(), other_rstd.data(), rows, n, 1e-5f);
            return z;
        });
        BOOST_TEST(same_bits(rms, rounded(y)), "rms_norm " << n);
        BOOST_TEST(same_bits(rstd, other_rstd));
    }
}

BOOST_AUTO_TEST_CASE(short_rows_together_have_the_bits_of_each_alone) {
    const auto check = [](auto n) {
        const std::size_t length = n;
        const auto gamma = random_vector<float>(length, 2, 0.5, 2), beta = random_vector<float>(length, 3);
        for (std::size_t rows = 1; rows < 10; ++rows)
            for (bool scaled : {false, true}) {
                const auto x = random_vector<float>(rows * length, static_cast<unsigned>(rows));
                float const *const g = scaled ? gamma.data() : nullptr, *const b = scaled ? beta.data() : nullptr;
                std::vector<float> y(x.size()), z(x.size()), mean(rows), rstd(rows), one_mean(rows), one_rstd(rows);
                kernel::layer_norm(x.data(), g, b, y.data(), mean.data(), rstd.data(), rows, n, 1e-5f);
                for (std::size_t r = 0; r < rows; ++r)
                    kernel::layer_norm(x.data() + r * length, g, b, z.data() + r * length, &one_mean[r], &one_rstd[r],
                                       1u, n, 1e-5f);
                BOOST_TEST((same_bits(y, z) && same_bits(mean, one_mean) && same_bits(rstd, one_rstd)),
                           "layer_norm of " << rows << " rows of " << length);
                kernel::rms_norm(x.data(), g, y.data(), rstd.data(), rows, n, 1e-5f);
                for (std::size_t r = 0; r < rows; ++r)
                    kernel::rms_norm(x.data() + r * length, g, z.data() + r * length, &one_rstd[r], 1u, n, 1e-5f);
                BOOST_TEST((same_bits(y, z) && same_bits(rstd, one_rstd)),
                           "rms_norm of " << rows << " rows of " << length);
            }
    };
    check(constant<5>{});
    check(constant<33>{});
    check(constant<64>{});
    check(constant<128>{});
}
