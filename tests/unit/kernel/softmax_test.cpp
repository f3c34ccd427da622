// SPDX-License-Identifier: MIT
// kernel/softmax against plain loops in double; extremes; derivatives against the formula; any number of threads.
#define BOOST_TEST_MODULE kernel_softmax
#include "kernel_test.hpp"

#include <algorithm>

#include <tenet/kernel/softmax.hpp>

using namespace kernel_test;
using tenet::constant;
namespace kernel = tenet::kernel;

namespace {

// f(first offset, stride, row number) for each row of [pre, n, post].
template <class F>
void each_row(std::size_t pre, std::size_t n, std::size_t post, F const& f) {
    for (std::size_t p = 0; p < pre; ++p)
        for (std::size_t q = 0; q < post; ++q) f(p * n * post + q, post, p * post + q);
}

template <class T>
void check(auto pre, auto n, auto post, double spread) {
    const std::size_t size = pre * n * post;
    const auto x = random_vector<T>(size, 1, -spread, spread), dy = random_vector<T>(size, 2);
    std::vector<double> soft(size), log_soft(size), lse(pre * post), dsoft(size), dlog(size);
    each_row(pre, n, post, [&](std::size_t at, std::size_t stride, std::size_t row) {
        double m = -HUGE_VAL, sum = 0, dot = 0, total = 0;
        for (std::size_t i = 0; i < n; ++i) m = std::max(m, static_cast<double>(x[at + i * stride]));
        for (std::size_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(x[at + i * stride]) - m);
        lse[row] = m + std::log(sum);
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t k = at + i * stride;
            log_soft[k] = static_cast<double>(x[k]) - m - std::log(sum);
            soft[k] = std::exp(log_soft[k]);
            dot += soft[k] * static_cast<double>(dy[k]);
            total += static_cast<double>(dy[k]);
        }
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t k = at + i * stride;
            dsoft[k] = soft[k] * (static_cast<double>(dy[k]) - dot);
            dlog[k] = static_cast<double>(dy[k]) - soft[k] * total;
        }
    });
    const auto map = [&](auto f) {
        return on_any_threads([&] {
            std::vector<T> out(size);
            f(out.data());
            return out;
        });
    };
    const double bound = 2 * tolerance<T>;
    const auto y = map([&](T* out) { kernel::softmax(x.data(), out, pre, n, post); });
    const auto log_y = map([&](T* out) { kernel::log_softmax(x.data(), out, pre, n, post); });
    BOOST_TEST(largest_error(y, soft, 0.01) <= bound, "softmax " << pre << " " << n << " " << post);
    BOOST_TEST(largest_error(log_y, log_soft) <= bound, "log_softmax " << pre << " " << n << " " << post);
    const auto sums = on_any_threads([&] {
        std::vector<T> out(lse.size());
        kernel::logsumexp(x.data(), out.data(), pre, n, post);
        return out;
    });
    BOOST_TEST(largest_error(sums, lse) <= bound);
    const double scale = std::sqrt(static_cast<double>(n));
    const auto dx = map([&](T* out) { kernel::softmax_backward(y.data(), dy.data(), out, pre, n, post); });
    const auto log_dx = map([&](T* out) { kernel::log_softmax_backward(log_y.data(), dy.data(), out, pre, n, post); });
    BOOST_TEST(largest_error(dx, dsoft, 0.1) <= bound);
    BOOST_TEST(largest_error(log_dx, dlog, scale) <= bound);
    const auto in_place = map([&](T* out) {
        std::copy(x.begin(), x.end(), out);
        kernel::softmax(out, out, pre, n, post);
    });
    BOOST_TEST(same_bits(in_place, y));
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(run_time_sizes, T, numbers) {
    for (std::size_t n : {1u, 7u, 16u, 17u, 65u, 384u, 1000u})
        for (std::size_t post : {1u, 3u, 33u}) check<T>(std::size_t{3}, n, post, 5);
    check<T>(std::size_t{200}, std::size_t{300}, std::size_t{1}, 20);
    check<T>(std::size_t{5}, std::size_t{100}, std::size_t{200}, 20);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(constant_sizes, T, numbers) {
    check<T>(std::size_t{4}, constant<1>{}, constant<1>{}, 5);
    check<T>(std::size_t{4}, constant<16>{}, constant<1>{}, 5);
    check<T>(std::size_t{4}, constant<65>{}, constant<1>{}, 5);
    check<T>(constant<2>{}, constant<17>{}, constant<5>{}, 5);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(extremes, T, numbers) {
    const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    for (std::size_t post : {1u, 3u}) {
        constexpr std::size_t n = 21;
        const auto row = [&](auto f) {
            std::vector<T> x(n * post);
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t q = 0; q < post; ++q) x[i * post + q] = f(i);
            return x;
        };
        std::vector<T> y(n * post), sums(post);
        const auto ones = row([&](std::size_t i) { return i == 2 ? T(1e4) : i == 3 ? T(-1e4) : T(0); });
        kernel::softmax(ones.data(), y.data(), 1u, n, post);
        BOOST_TEST(y[2 * post] == T(1));
        BOOST_TEST(y[3 * post] == T(0));
        kernel::log_softmax(ones.data(), y.data(), 1u, n, post);
        BOOST_TEST(y[3 * post] == T(-2e4));
        kernel::logsumexp(ones.data(), sums.data(), 1u, n, post);
        BOOST_TEST(sums[0] == T(1e4));

        // Equal large numbers: the logarithm of the sum must not drown in them.
        const auto large = row([](std::size_t) { return T(1e4); });
        kernel::log_softmax(large.data(), y.data(), 1u, n, post);
        BOOST_TEST(static_cast<double>(y[0]) == -std::log(21.0), boost::test_tools::tolerance(1e-6));

        const auto nothing = row([&](std::size_t) { return -inf; });
        kernel::softmax(nothing.data(), y.data(), 1u, n, post);
        for (T v : y) BOOST_TEST(v == T(0));
        kernel::log_softmax(nothing.data(), y.data(), 1u, n, post);
        for (T v : y) BOOST_TEST(v == -inf);
        kernel::logsumexp(nothing.data(), sums.data(), 1u, n, post);
        BOOST_TEST(sums[0] == -inf);

        const auto masked = row([&](std::size_t i) { return i < 4 ? T(1) : -inf; });
        kernel::softmax(masked.data(), y.data(), 1u, n, post);
        BOOST_TEST(y[0] == T(0.25));
        BOOST_TEST(y[20 * post] == T(0));
        kernel::log_softmax(masked.data(), y.data(), 1u, n, post);
        BOOST_TEST(y[20 * post] == -inf);

        for (std::size_t at : {0u, 5u, 20u}) {
            const auto bad = row([&](std::size_t i) { return i == at ? nan : T(0); });
            kernel::softmax(bad.data(), y.data(), 1u, n, post);
            for (T v : y) BOOST_TEST(std::isnan(v));
            kernel::logsumexp(bad.data(), sums.data(), 1u, n, post);
            BOOST_TEST(std::isnan(sums[0]));
        }
    }
}

BOOST_AUTO_TEST_CASE(short_rows_together_have_the_bits_of_each_alone) {
    const auto check = [](auto n) {
        const std::size_t length = n;
        for (std::size_t rows = 1; rows < 10; ++rows) {
            std::vector<float> x(rows * length), y(x.size()), z(x.size());
            for (std::size_t i = 0; i < x.size(); ++i) x[i] = 4 * std::sin(static_cast<float>(3 * i + rows));
            kernel::softmax(x.data(), y.data(), rows, n, constant<1>{});
            for (std::size_t r = 0; r < rows; ++r)
                kernel::softmax(x.data() + r * length, z.data() + r * length, std::size_t{1}, n, constant<1>{});
            BOOST_TEST((y == z), rows << " rows of " << length);
            kernel::softmax(x.data(), x.data(), rows, n, constant<1>{});  // in place
            BOOST_TEST((x == z));
        }
    };
    check(constant<5>{});
    check(constant<33>{});
    check(constant<64>{});
}
