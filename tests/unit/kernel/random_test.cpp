// SPDX-License-Identifier: MIT
// kernel/random: the published Philox vectors, moments, independence of threads, sizes and register widths.
#define BOOST_TEST_MODULE kernel_random
#include "kernel_test.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <tenet/kernel/random.hpp>

using namespace kernel_test;
namespace kernel = tenet::kernel;
namespace simd = tenet::simd;

BOOST_AUTO_TEST_CASE(philox_known_answers) {
    // From Random123's kat_vectors: philox4x32 10.
    const auto zero = kernel::detail::philox_block(0, 0, 0);
    BOOST_TEST(zero[0] == 0x6627e8d5u);
    BOOST_TEST(zero[1] == 0xe169c58du);
    BOOST_TEST(zero[2] == 0xbc57ac4cu);
    BOOST_TEST(zero[3] == 0x9b00dbd8u);
    const auto pi = kernel::detail::philox_block(0x299f31d0a4093822u, 0x0370734413198a2eu, 0x85a308d3243f6a88u);
    BOOST_TEST(pi[0] == 0xd16cfe09u);
    BOOST_TEST(pi[1] == 0x94fdccebu);
    BOOST_TEST(pi[2] == 0x5001e420u);
    BOOST_TEST(pi[3] == 0x24126ea1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(uniform_numbers, T, numbers) {
    const std::size_t n = 200003;
    const auto u = on_any_threads([&] {
        std::vector<T> x(n);
        kernel::uniform_fill(x.data(), n, 0, 1, 42, 7);
        return x;
    });
    double mean = 0, square = 0;
    for (T v : u) {
        mean += static_cast<double>(v) / static_cast<double>(n);
        square += static_cast<double>(v) * static_cast<double>(v) / static_cast<double>(n);
    }
    BOOST_TEST(*std::min_element(u.begin(), u.end()) >= T(0));
    BOOST_TEST(*std::max_element(u.begin(), u.end()) < T(1));
    BOOST_TEST(std::abs(mean - 0.5) < 0.003);
    BOOST_TEST(std::abs(square - 1.0 / 3) < 0.003);
    for (std::size_t i : {0u, 1u, 2u, 3u, 4u, 31u, 32u, 1001u, 200002u})
        BOOST_TEST(kernel::uniform_at<T>(42, 7, i) == u[i]);
    BOOST_TEST(kernel::uniform_at<T>(42, 8, 0) != u[0]);
    BOOST_TEST(kernel::uniform_at<T>(43, 7, 0) != u[0]);
    std::vector<T> low(9);
    kernel::uniform_fill(low.data(), low.size(), -2, 4, 42, 7);
    for (std::size_t i = 0; i < 9; ++i) BOOST_TEST(low[i] == T(-2) + T(6) * u[i]);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(normal_numbers, T, numbers) {
    const std::size_t n = 400001;
    const auto z = on_any_threads([&] {
        std::vector<T> x(n);
        kernel::normal_fill(x.data(), n, 1, 2, 3, 4);
        return x;
    });
    std::array<double, 5> moments{};
    std::size_t within = 0;
    for (T v : z) {
        const double y = (static_cast<double>(v) - 1) / 2;
        double power = 1;
        for (double& m : moments) {
            m += power / static_cast<double>(n);
            power *= y;
        }
        within += std::abs(y) < 1;
    }
    BOOST_TEST(std::abs(moments[1]) < 0.006);
    BOOST_TEST(std::abs(moments[2] - 1) < 0.01);
    BOOST_TEST(std::abs(moments[3]) < 0.02);
    BOOST_TEST(std::abs(moments[4] - 3) < 0.06);
    BOOST_TEST(std::abs(static_cast<double>(within) / static_cast<double>(n) - 0.682689) < 0.003);
    // The same numbers, whatever is asked for.
    for (std::size_t shorter : {1u, 2u, 15u, 32u, 33u, 5000u}) {
        std::vector<T> part(shorter);
        kernel::normal_fill(part.data(), shorter, 1, 2, 3, 4);
        BOOST_TEST(std::equal(part.begin(), part.end(), z.begin()));
    }
    // And by the formula.
    const double u = static_cast<double>(kernel::uniform_at<T>(3, 4, 10)),
                 v = static_cast<double>(kernel::uniform_at<T>(3, 4, 11));
    const double r = 2 * std::sqrt(-2 * std::log(u)), angle = 2 * 3.14159265358979323846 * v;
    BOOST_TEST(std::abs(static_cast<double>(z[10]) - (1 + r * std::cos(angle))) < 1e-4);
    BOOST_TEST(std::abs(static_cast<double>(z[11]) - (1 + r * std::sin(angle))) < 1e-4);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(dropout_lanes, T, numbers) {
    const std::uint64_t key = kernel::dropout_key(1, 2, 3, 4);
    for (std::uint64_t first : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000003}, std::uint64_t{0xfffffffau},
                                std::uint64_t{0x1fffffffdu}, std::uint64_t{0x123456789abcdu}}) {
        T lanes[simd::width<T>];
        kernel::dropout_uniform<T>(key, first).store_unaligned(lanes);
        for (std::size_t i = 0; i < simd::width<T>; ++i)
            BOOST_TEST(lanes[i] == static_cast<T>(kernel::dropout_uniform_at(key, first + i)));
    }
}

BOOST_AUTO_TEST_CASE(dropout_is_uniform) {
    const int n = 1 << 18;
    std::array<int, 64> bins{};
    double mean = 0, lagged = 0, previous = 0.5;
    const std::uint64_t key = kernel::dropout_key(5, 0, 0, 0), other = kernel::dropout_key(5, 1, 0, 0);
    int both = 0;
    for (int i = 0; i < n; ++i) {
        const float u = kernel::dropout_uniform_at(key, static_cast<std::uint64_t>(i));
        BOOST_REQUIRE((u >= 0 && u < 1));
        ++bins[static_cast<std::size_t>(u * 64)];
        mean += static_cast<double>(u) / n;
        lagged += (static_cast<double>(u) - 0.5) * (previous - 0.5) / n;
        previous = static_cast<double>(u);
        both += u < 0.1f && kernel::dropout_uniform_at(other, static_cast<std::uint64_t>(i)) < 0.1f;
    }
    BOOST_TEST(std::abs(mean - 0.5) < 0.003);
    BOOST_TEST(std::abs(lagged) < 0.001);
    BOOST_TEST(std::abs(both / static_cast<double>(n) - 0.01) < 0.001);  // steps are independent
    double chi = 0;
    for (int b : bins) chi += (b - n / 64.0) * (b - n / 64.0) / (n / 64.0);
    BOOST_TEST(chi < 120);  // 63 degrees of freedom: 1 in 20000
}

BOOST_AUTO_TEST_CASE(dropout_keys_differ) {
    std::set<std::uint64_t> keys;
    for (std::uint64_t a = 0; a < 6; ++a)
        for (std::uint64_t b = 0; b < 6; ++b)
            for (std::uint64_t c = 0; c < 6; ++c)
                for (std::uint64_t d = 0; d < 6; ++d) keys.insert(kernel::dropout_key(a, b, c, d));
    BOOST_TEST(keys.size() == 6u * 6 * 6 * 6);
}
