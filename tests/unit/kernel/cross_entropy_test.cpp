// SPDX-License-Identifier: MIT
// kernel/cross_entropy against plain loops in double: smoothing, ignored rows, padded columns, extremes, bad targets.
#define BOOST_TEST_MODULE kernel_cross_entropy
#include "kernel_test.hpp"

#include <algorithm>

#include <tenet/kernel/cross_entropy.hpp>

using namespace kernel_test;
using tenet::constant;
namespace kernel = tenet::kernel;

namespace {

constexpr std::int32_t ignore = -100;

template <class T>
void check(std::size_t rows, auto classes, auto valid, double smoothing, bool ignoring) {
    const std::size_t stride = classes, v = valid;
    auto logits = random_vector<T>(rows * stride, 1, -4, 4);
    auto targets = random_indices(rows, 2, static_cast<std::int32_t>(v));
    // What lies in padded columns must not matter.
    for (std::size_t r = 0; r < rows; ++r)
        std::fill(logits.begin() + static_cast<std::ptrdiff_t>(r * stride + v),
                  logits.begin() + static_cast<std::ptrdiff_t>((r + 1) * stride), std::numeric_limits<T>::quiet_NaN());
    if (ignoring)
        for (std::size_t r = 0; r < rows; r += 3) targets[r] = ignore;
    const auto upstream = random_vector<T>(rows, 5);
    const T dloss = T(0.75), e = static_cast<T>(smoothing);

    double total = 0;
    std::size_t kept = 0;
    std::vector<double> losses(rows, 0), lse(rows, 0), probability(rows * stride, 0);
    for (std::size_t r = 0; r < rows; ++r) {
        if (targets[r] == ignore) continue;
        T const* const x = logits.data() + r * stride;
        double sum = 0, mean = 0;
        for (std::size_t j = 0; j < v; ++j) {
            sum += std::exp(static_cast<double>(x[j]));
            mean += static_cast<double>(x[j]) / static_cast<double>(v);
        }
        lse[r] = std::log(sum);
        losses[r] = (1 - smoothing) * (lse[r] - static_cast<double>(x[targets[r]])) + smoothing * (lse[r] - mean);
        for (std::size_t j = 0; j < v; ++j)
            probability[r * stride + j] = std::exp(static_cast<double>(x[j]) - lse[r]) -
                                          (j == static_cast<std::size_t>(targets[r]) ? 1 - smoothing : 0) -
                                          smoothing / static_cast<double>(v);
        total += losses[r];
        ++kept;
    }
    const double bound = 5 * tolerance<T>;
    const auto scaled = [&](auto scale) {
        std::vector<double> d(rows * stride);
        for (std::size_t k = 0; k < d.size(); ++k) d[k] = probability[k] * scale(k / stride);
        return d;
    };
    const auto padded_zeros = [&](std::vector<T> const& d) {
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t j = v; j < stride; ++j)
                if (d[r * stride + j] != T(0)) return false;
        return true;
    };
    for (bool mean : {false, true}) {
        std::vector<T> work(kernel::cross_entropy_workspace(rows));
        const auto out = on_any_threads([&] {
            std::vector<T> result(1 + 2 * rows);
            BOOST_TEST(kernel::cross_entropy(logits.data(), targets.data(), result.data(), result.data() + 1,
                                             work.data(), rows, classes, valid, ignore, e, mean) == -1);
            return result;
        });
        const double want = mean ? total / static_cast<double>(kept) : total;
        BOOST_TEST(largest_error(std::vector<T>{out[0]}, {want}) <= bound,
                   rows << " " << stride << " " << v << " " << smoothing);
        std::vector<T> sums;
        for (std::size_t r = 0; r < rows; ++r) sums.push_back(out[1 + 2 * r] + out[2 + 2 * r]);
        BOOST_TEST(largest_error(sums, lse) <= bound);
        const auto dx = on_any_threads([&] {
            std::vector<T> d(rows * stride, T(9));
            kernel::cross_entropy_backward(logits.data(), targets.data(), out.data() + 1, &dloss, d.data(), rows,
                                           classes, valid, ignore, e, mean);
            return d;
        });
        const double scale = 0.75 / (mean ? static_cast<double>(kept) : 1);
        BOOST_TEST(largest_error(dx, scaled([&](std::size_t) { return scale; }), scale) <= bound);
        BOOST_TEST(padded_zeros(dx));
    }
    const auto by_rows = on_any_threads([&] {
        std::vector<T> result(3 * rows);
        BOOST_TEST(kernel::cross_entropy_rows(logits.data(), targets.data(), result.data(), result.data() + rows, rows,
                                              classes, valid, ignore, e) == -1);
        return result;
    });
    const auto middle = by_rows.begin() + static_cast<std::ptrdiff_t>(rows);
    BOOST_TEST(largest_error(std::vector<T>(by_rows.begin(), middle), losses) <= bound);
    const auto dx = on_any_threads([&] {
        std::vector<T> d(rows * stride, T(9));
        kernel::cross_entropy_rows_backward(logits.data(), targets.data(), by_rows.data() + rows, upstream.data(),
                                            d.data(), rows, classes, valid, ignore, e);
        return d;
    });
    BOOST_TEST(largest_error(dx, scaled([&](std::size_t r) { return static_cast<double>(upstream[r]); })) <= bound);
    BOOST_TEST(padded_zeros(dx));
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(run_time_sizes, T, numbers) {
    for (std::size_t v : {1u, 7u, 16u, 17u, 65u, 384u, 1000u})
        for (std::size_t padding : {0u, 15u})
            for (double smoothing : {0.0, 0.1})
                for (bool ignoring : {false, true}) check<T>(11, v + padding, v, smoothing, ignoring);
    check<T>(700, std::size_t{80}, std::size_t{65}, 0.1, true);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(constant_sizes, T, numbers) {
    check<T>(11, constant<80>{}, constant<65>{}, 0.1, true);
    check<T>(11, constant<1008>{}, constant<1000>{}, 0, false);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(extremes, T, numbers) {
    const std::vector<T> x{T(1e4), T(-1e4), T(0), T(1e4), T(1e4), T(1e4)};
    std::vector<T> losses(2), lse(4), dx(6);
    const std::int32_t targets[] = {1, 0};
    kernel::cross_entropy_rows(x.data(), targets, losses.data(), lse.data(), 2u, 3u, 3u, ignore, T(0));
    BOOST_TEST(losses[0] == T(2e4));
    BOOST_TEST(static_cast<double>(losses[1]) == std::log(3.0), boost::test_tools::tolerance(1e-6));
    const T dloss = 1;
    kernel::cross_entropy_backward(x.data(), targets, lse.data(), &dloss, dx.data(), 2u, 3u, 3u, ignore, T(0), false);
    BOOST_TEST(dx[0] == T(1));
    BOOST_TEST(dx[1] == T(-1));
    BOOST_TEST(dx[2] == T(0));
    BOOST_TEST(static_cast<double>(dx[4]) == 1.0 / 3, boost::test_tools::tolerance(1e-3));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(all_rows_ignored, T, numbers) {
    const std::vector<T> x(6, T(1));
    const std::int32_t targets[] = {ignore, ignore};
    T loss = 0, dloss = 1;
    std::vector<T> lse(4), work(2), dx(6, T(9));
    BOOST_TEST(
        kernel::cross_entropy(x.data(), targets, &loss, lse.data(), work.data(), 2u, 3u, 3u, ignore, T(0), true) == -1);
    BOOST_TEST(std::isnan(loss));
    kernel::cross_entropy(x.data(), targets, &loss, lse.data(), work.data(), 2u, 3u, 3u, ignore, T(0), false);
    BOOST_TEST(loss == T(0));
    kernel::cross_entropy_backward(x.data(), targets, lse.data(), &dloss, dx.data(), 2u, 3u, 3u, ignore, T(0), true);
    for (T v : dx) BOOST_TEST(v == T(0));
}

BOOST_AUTO_TEST_CASE(bad_targets) {
    const std::vector<float> x(12, 1.0f);
    for (std::int32_t bad : {-1, 3, 4, 2147483647}) {
        const std::int32_t targets[] = {ignore, 2, bad};
        float loss = 9;
        std::vector<float> lse(6, 9.0f), work(3);
        BOOST_TEST(kernel::cross_entropy(x.data(), targets, &loss, lse.data(), work.data(), 3u, 4u, 3u, ignore, 0.0,
                                         true) == 2);
        BOOST_TEST(loss == 9.0f);
        BOOST_TEST(lse[0] == 9.0f);
    }
}

BOOST_AUTO_TEST_CASE(gradients_in_bfloat16_are_the_float_ones_rounded) {
    for (std::size_t v : {1u, 7u, 16u, 17u, 65u, 1000u})
        for (float smoothing : {0.0f, 0.1f}) {
            const std::size_t rows = 23, classes = v + 15;
            const auto logits = random_vector<float>(rows * classes, 1, -4, 4);
            auto targets = random_indices(rows, 2, static_cast<std::int32_t>(v));
            targets[3] = ignore;
            std::vector<float> losses(rows), lse(2 * rows), dx(rows * classes);
            kernel::cross_entropy_rows(logits.data(), targets.data(), losses.data(), lse.data(), rows, classes, v,
                                       ignore, smoothing);
            const auto upstream = random_vector<float>(rows, 5);
            kernel::cross_entropy_rows_backward(logits.data(), targets.data(), lse.data(), upstream.data(), dx.data(),
                                                rows, classes, v, ignore, smoothing);
            const auto by_rows = on_any_threads([&] {
                std::vector<tenet::bfloat16> d(rows * classes, tenet::bfloat16(9.0f));
                kernel::cross_entropy_rows_backward(logits.data(), targets.data(), lse.data(), upstream.data(),
                                                    d.data(), rows, classes, v, ignore, smoothing);
                return d;
            });
            BOOST_TEST(same_bits(by_rows, rounded(dx)), v << " " << smoothing);
            const float dloss = 0.75f;
            kernel::cross_entropy_backward(logits.data(), targets.data(), lse.data(), &dloss, dx.data(), rows, classes,
                                           v, ignore, smoothing, true);
            const auto whole = on_any_threads([&] {
                std::vector<tenet::bfloat16> d(rows * classes, tenet::bfloat16(9.0f));
                kernel::cross_entropy_backward(logits.data(), targets.data(), lse.data(), &dloss, d.data(), rows,
                                               classes, v, ignore, smoothing, true);
                return d;
            });
            BOOST_TEST(same_bits(whole, rounded(dx)), v << " " << smoothing);
        }
}
