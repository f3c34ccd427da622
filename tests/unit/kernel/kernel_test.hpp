// SPDX-License-Identifier: MIT
// What the tests of kernels share: data, comparisons, and running one thing on 1, 2 and 4 threads.
#pragma once

#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include <tenet/base/constant.hpp>
#include <tenet/parallel/threads.hpp>
#include <tenet/simd/bf16.hpp>

namespace kernel_test {

using numbers = boost::mpl::list<float, double>;

template <class T>
inline constexpr double tolerance = sizeof(T) == 4 ? 2e-6 : 1e-14;

template <class T>
std::vector<T> random_vector(std::size_t n, unsigned seed, double low = -1, double high = 1) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<double> draw(low, high);
    std::vector<T> x(n);
    for (T& v : x) v = static_cast<T>(draw(engine));
    return x;
}

inline std::vector<std::int32_t> random_indices(std::size_t n, unsigned seed, std::int32_t limit) {
    std::mt19937 engine(seed);
    std::uniform_int_distribution<std::int32_t> draw(0, limit - 1);
    std::vector<std::int32_t> x(n);
    for (auto& v : x) v = draw(engine);
    return x;
}

template <class T>
std::vector<double> widened(std::vector<T> const& x) {
    return {x.begin(), x.end()};
}

/// The largest |got - want| / max(scale, |want|); infinite where one is NaN and the other is not.
template <class T>
double largest_error(std::vector<T> const& got, std::vector<double> const& want, double scale = 1) {
    double worst = got.size() == want.size() ? 0 : std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < got.size() && i < want.size(); ++i) {
        const double g = static_cast<double>(got[i]), w = want[i];
        if (std::isnan(g) && std::isnan(w)) continue;
        if (g == w) continue;
        const double error = std::abs(g - w) / std::max(scale, std::abs(w));
        worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst, error);
    }
    return worst;
}

template <class T>
bool same_bits(std::vector<T> const& a, std::vector<T> const& b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// The numbers, rounded.
inline std::vector<tenet::bfloat16> rounded(std::vector<float> const& x) {
    return {x.begin(), x.end()};
}

/// f(), a vector, on one thread, checked to have the same bits on 2 and 4.
template <class F>
auto on_any_threads(F const& f) {
    const auto one = tenet::with_threads(1, f);
    for (int n : {2, 4}) BOOST_TEST(same_bits(one, tenet::with_threads(n, f)), "bits differ on " << n << " threads");
    return one;
}

}  // namespace kernel_test
