// SPDX-License-Identifier: MIT
// kernel/reduce and kernel/argmax against plain loops in double, at odd sizes, constant and not, on any threads.
#define BOOST_TEST_MODULE kernel_reduce
#include "kernel_test.hpp"

#include <tenet/kernel/reduce.hpp>

using namespace kernel_test;
using tenet::constant;
namespace kernel = tenet::kernel;
using kernel::reduction;

namespace {

template <class T>
std::vector<double> reference(reduction r, std::vector<T> const& x, std::size_t pre, std::size_t n, std::size_t post) {
    const double start = r == reduction::sum ? 0 : r == reduction::max ? -HUGE_VAL : HUGE_VAL;
    std::vector<double> out(pre * post, start);
    for (std::size_t p = 0; p < pre; ++p)
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t q = 0; q < post; ++q) {
                double& o = out[p * post + q];
                const double v = static_cast<double>(x[(p * n + i) * post + q]);
                if (r == reduction::sum) o += v;
                else if (std::isnan(v) || std::isnan(o)) o = std::nan("");
                else o = r == reduction::max ? std::max(o, v) : std::min(o, v);
            }
    return out;
}

template <reduction R, class T>
void check(auto pre, auto n, auto post) {
    const auto x = random_vector<T>(pre * n * post, 3);
    const auto got = on_any_threads([&] {
        std::vector<T> out(pre * post, T(9));
        kernel::reduce<R>(x.data(), out.data(), pre, n, post);
        return out;
    });
    const auto want = reference(R, x, pre, n, post);
    const double scale = std::sqrt(static_cast<double>(n) + 1);
    BOOST_TEST(largest_error(got, want, scale) <= tolerance<T>, "[" << pre << ", " << n << ", " << post << "]");
    const auto joined = on_any_threads([&] {
        std::vector<T> out(pre * post, T(0.25));
        kernel::reduce<R>(x.data(), out.data(), pre, n, post, true);
        return out;
    });
    auto want_joined = want;
    for (double& w : want_joined)
        w = R == reduction::sum ? w + 0.25 : R == reduction::max ? std::max(w, 0.25) : std::min(w, 0.25);
    BOOST_TEST(largest_error(joined, want_joined, scale) <= tolerance<T>);
}

template <class T>
void check_all(auto pre, auto n, auto post) {
    check<reduction::sum, T>(pre, n, post);
    check<reduction::max, T>(pre, n, post);
    check<reduction::min, T>(pre, n, post);
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(run_time_sizes, T, numbers) {
    for (std::size_t n : {0u, 1u, 7u, 16u, 17u, 65u, 384u, 1000u})
        for (std::size_t post : {1u, 3u, 16u, 65u})
            for (std::size_t pre : {1u, 5u}) check_all<T>(pre, n, post);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(large_sizes, T, numbers) {
    check_all<T>(std::size_t{1}, std::size_t{300001}, std::size_t{1});
    check_all<T>(std::size_t{700}, std::size_t{384}, std::size_t{1});
    check_all<T>(std::size_t{1}, std::size_t{4099}, std::size_t{65});
    check_all<T>(std::size_t{3}, std::size_t{2000}, std::size_t{17});
    check_all<T>(std::size_t{1}, std::size_t{777}, std::size_t{1152});
    check_all<T>(std::size_t{16}, std::size_t{40}, std::size_t{300});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(constant_sizes, T, numbers) {
    check_all<T>(std::size_t{9}, constant<1>{}, constant<1>{});
    check_all<T>(std::size_t{9}, constant<7>{}, constant<1>{});
    check_all<T>(std::size_t{9}, constant<16>{}, constant<1>{});
    check_all<T>(constant<9>{}, constant<65>{}, constant<1>{});
    check_all<T>(constant<1>{}, constant<65>{}, constant<1>{});
    check_all<T>(constant<2>{}, constant<384>{}, constant<17>{});
}

BOOST_AUTO_TEST_CASE(long_float_sums_stay_accurate) {
    // Adding 0.1 ten million times one by one would be 0.9 % off.
    const std::vector<float> x(10000000, 0.1f);
    float out = 0;
    kernel::reduce<reduction::sum>(x.data(), &out, constant<1>{}, x.size(), constant<1>{});
    BOOST_TEST(out == 1e6f, boost::test_tools::tolerance(5e-6f));
    std::vector<float> two(2);
    kernel::reduce<reduction::sum>(x.data(), two.data(), 1u, x.size() / 2, 2u);
    BOOST_TEST(two[0] == 5e5f, boost::test_tools::tolerance(2e-5f));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nan_wins, T, numbers) {
    const T nan = std::numeric_limits<T>::quiet_NaN(), inf = std::numeric_limits<T>::infinity();
    for (std::size_t post : {1u, 5u})
        for (std::size_t at : {0u, 3u, 40u, 64u}) {
            auto x = random_vector<T>(2 * 65 * post, 1);
            x[at * post] = nan;
            x[65 * post] = inf;
            x[66 * post] = -inf;
            std::vector<T> out(2 * post);
            std::vector<std::int32_t> place(2 * post);
            kernel::reduce<reduction::max>(x.data(), out.data(), 2u, 65u, post);
            BOOST_TEST(std::isnan(out[0]));
            BOOST_TEST(out[post] == inf);
            kernel::reduce<reduction::min>(x.data(), out.data(), 2u, 65u, post);
            BOOST_TEST(std::isnan(out[0]));
            BOOST_TEST(out[post] == -inf);
            kernel::reduce<reduction::sum>(x.data(), out.data(), 2u, 65u, post);
            BOOST_TEST(std::isnan(out[0]));
            kernel::argmax(x.data(), place.data(), 2u, 65u, post);
            BOOST_TEST(static_cast<std::size_t>(place[0]) == at);
            BOOST_TEST(place[post] == 0);
        }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(argmax_first_maximum, T, numbers) {
    for (std::size_t n : {1u, 7u, 16u, 17u, 65u, 384u, 1000u})
        for (std::size_t post : {1u, 3u, 16u, 33u}) {
            auto x = random_vector<T>(3 * n * post, 5);
            for (T& v : x) v = std::round(v * T(3));  // many ties
            const auto got = on_any_threads([&] {
                std::vector<std::int32_t> out(3 * post);
                kernel::argmax(x.data(), out.data(), 3u, n, post);
                return out;
            });
            for (std::size_t p = 0; p < 3; ++p)
                for (std::size_t q = 0; q < post; ++q) {
                    std::size_t best = 0;
                    for (std::size_t i = 1; i < n; ++i)
                        if (x[(p * n + i) * post + q] > x[(p * n + best) * post + q]) best = i;
                    BOOST_TEST(static_cast<std::size_t>(got[p * post + q]) == best);
                }
        }
    const std::vector<T> low(5, -std::numeric_limits<T>::infinity());
    std::int32_t out = -1;
    kernel::argmax(low.data(), &out, 1u, constant<5>{}, constant<1>{});
    BOOST_TEST(out == 0);
}
