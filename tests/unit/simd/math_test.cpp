// SPDX-License-Identifier: MIT
// simd/math: errors against the standard library in long double, and every special value, on registers.
#define BOOST_TEST_MODULE simd_math
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>

#include <tenet/simd/activation.hpp>
#include <tenet/simd/math.hpp>

namespace simd = tenet::simd;

namespace {

constexpr long double pi = 3.14159265358979323846264338327950288L;

template <class T>
double ulps(T got, long double want) {
    const T rounded = static_cast<T>(want);
    if (std::isnan(want)) return std::isnan(got) ? 0.0 : 1e9;
    if (std::isinf(rounded) || std::isinf(got)) return rounded == got ? 0.0 : 1e9;
    int exponent = 0;
    std::frexp(want, &exponent);
    exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
    return static_cast<double>(std::abs(static_cast<long double>(got) - want) /
                               std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits));
}

// The largest error over random points of [low, high], or of +-10^[low, high].
template <class T, class Function, class Reference>
double worst(Function f, Reference r, double low, double high, bool logarithmic = false) {
    constexpr std::size_t n = simd::width<T>;
    std::mt19937_64 engine(7);
    std::uniform_real_distribution<double> draw(low, high);
    double error = 0;
    for (int i = 0; i < 40000; i += static_cast<int>(n)) {
        alignas(64) T x[n], y[n];
        for (T& v : x) {
            const double u = draw(engine);
            v = static_cast<T>(logarithmic ? (engine() & 1 ? 1 : -1) * std::pow(10.0, u) : u);
        }
        f(simd::batch<T>::load_aligned(x)).store_aligned(y);
        for (std::size_t k = 0; k < n; ++k) error = std::max(error, ulps<T>(y[k], r(static_cast<long double>(x[k]))));
    }
    return error;
}

template <class T, class Function>
T at(Function f, double x) {
    alignas(64) T lanes[simd::width<T>];
    f(simd::batch<T>(static_cast<T>(x))).store_aligned(lanes);
    for (std::size_t k = 1; k < simd::width<T>; ++k)
        BOOST_TEST((lanes[k] == lanes[0] || (std::isnan(lanes[k]) && std::isnan(lanes[0]))));
    return lanes[0];
}

}  // namespace

#define TENET_TEST_FUNCTION(name) [](auto x) { return simd::name(x); }, [](long double x) { return std::name(x); }
#define TENET_TEST_VALUE(name, x) at<T>([](auto v) { return simd::name(v); }, x)

using numbers = boost::mpl::list<float, double>;

BOOST_AUTO_TEST_CASE_TEMPLATE(exponentials, T, numbers) {
    const double bound = sizeof(T) == 4 ? 2 : 4, far = sizeof(T) == 4 ? 110 : 750;
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(exp), -1, 1) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(exp), -far, far) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(expm1), -1, 1) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(expm1), -far, far) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(expm1), -9, 0, true) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(tanh), -1, 1) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(tanh), -30, 30) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(tanh), -44, 0, true) <= bound);
    const auto fast_tanh = [](auto x) { return simd::fast_tanh<T>(x); };
    const auto tanh = [](long double x) { return std::tanh(x); };
    BOOST_TEST(worst<T>(fast_tanh, tanh, -30, 30) <= 2.6);
    BOOST_TEST(worst<T>(fast_tanh, tanh, -44, 0, true) <= 2.6);
    const auto sigmoid = [](long double x) { return 1 / (1 + std::exp(-x)); };
    BOOST_TEST(worst<T>([](auto x) { return simd::sigmoid(x); }, sigmoid, -far, far) <= 3);
    BOOST_TEST(worst<T>([](auto x) { return simd::sigmoid(x); }, sigmoid, -5, 5) <= 3);
    BOOST_TEST(worst<T>([](auto x) { return simd::exp_not_positive(x); }, [](long double x) { return std::exp(x); },
                        -87, 0) <= bound);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(logarithms, T, numbers) {
    const double bound = sizeof(T) == 4 ? 2 : 4;
    const auto log_of_magnitude = [](auto x) { return simd::log(simd::abs(x)); };
    const auto reference = [](long double x) { return std::log(std::abs(x)); };
    BOOST_TEST(worst<T>(log_of_magnitude, reference, sizeof(T) == 4 ? -44 : -320, 38, true) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(log), 0.5, 2) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(log), -1, 1) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(log1p), -2, 3) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(log1p), -40, -1, true) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(log1p), 0, 1e30) <= bound);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(error_function_and_angles, T, numbers) {
    const double bound = sizeof(T) == 4 ? 2 : 4;
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(erf), -1, 1) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(erf), -7, 7) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(erf), -44, 0, true) <= bound);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(sin), -7, 7) <= 4);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(cos), -7, 7) <= 4);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(sin), -1e4, 1e4) <= 4);
    BOOST_TEST(worst<T>(TENET_TEST_FUNCTION(cos), -1e4, 1e4) <= 4);
    BOOST_TEST(std::abs(TENET_TEST_VALUE(sin, static_cast<double>(pi))) < 1e-6);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(powers_and_roots, T, numbers) {
    for (double y : {-3.0, -2.5, -1.0, 0.0, 0.5, 1.0 / 3, 1.0, 2.0, 7.0, -20.0, 0.001}) {
        const T exponent = static_cast<T>(y);
        const auto f = [&](auto x) { return simd::pow(x, simd::batch<T>(exponent)); };
        const auto r = [&](long double x) { return std::pow(x, static_cast<long double>(exponent)); };
        BOOST_TEST(worst<T>(f, r, -10, 10) <= 1);
        BOOST_TEST(worst<T>(f, r, -20, 20, true) <= 1);
    }
    const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    for (double x : {0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, inf, -inf, nan})
        for (double y : {0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.0, -3.0, inf, -inf, nan}) {
            const T got = at<T>([&](auto v) { return simd::pow(v, simd::batch<T>(static_cast<T>(y))); }, x);
            BOOST_TEST(ulps<T>(got, std::pow(static_cast<long double>(x), static_cast<long double>(y))) <= 1,
                       "pow(" << x << ", " << y << ") = " << got);
        }
    BOOST_TEST(worst<T>([](auto x) { return simd::sqrt(x); }, [](long double x) { return std::sqrt(x); }, 0, 1e5) <=
               0.51);
    BOOST_TEST(
        worst<T>([](auto x) { return simd::rsqrt(x); }, [](long double x) { return 1 / std::sqrt(x); }, 0, 1e5) <= 1.6);
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(sqrt, -1.0)));
    BOOST_TEST(TENET_TEST_VALUE(rsqrt, 0.0) == static_cast<T>(inf));
}

// Of what the activations promise: an absolute error, relative to max(1, |x|).
BOOST_AUTO_TEST_CASE_TEMPLATE(activations, T, numbers) {
    const auto u = [](long double x) { return std::sqrt(2 / pi) * (x + 0.044715L * x * x * x); };
    const auto gelu = [&](long double x) { return x * (1 + std::tanh(u(x))) / 2; };
    const auto slope = [&](long double x) {
        const long double t = std::tanh(u(x)), du = std::sqrt(2 / pi) * (1 + 3 * 0.044715L * x * x);
        return (1 + t + x * (1 - t * t) * du) / 2;
    };
    const auto silu = [](long double x) { return x / (1 + std::exp(-x)); };
    double of_gelu = 0, of_slope = 0, of_silu = 0;
    const auto off = [](T got, long double want, double x) {
        return static_cast<double>(std::abs(static_cast<long double>(got) - want)) / std::max(1.0, std::abs(x));
    };
    for (double x = -30; x <= 30; x += 0.0078125) {
        of_gelu = std::max(of_gelu, off(TENET_TEST_VALUE(gelu, x), gelu(x), x));
        of_slope = std::max(of_slope, off(TENET_TEST_VALUE(gelu_slope, x), slope(x), x));
        of_silu = std::max(of_silu, off(TENET_TEST_VALUE(silu, x), silu(x), x));
    }
    const double unit = sizeof(T) == 4 ? 1 : 1e-8;
    BOOST_TEST(of_gelu < 2e-7 * unit);
    BOOST_TEST(of_slope < 5e-7 * unit);
    BOOST_TEST(of_silu < 2e-7 * unit);
    const double inf = std::numeric_limits<double>::infinity();
    BOOST_TEST(TENET_TEST_VALUE(gelu_slope, inf) == T(1));
    BOOST_TEST(std::abs(TENET_TEST_VALUE(gelu_slope, -inf)) < T(1e-6));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(gelu_slope, std::numeric_limits<double>::quiet_NaN())));
    BOOST_TEST(TENET_TEST_VALUE(gelu, inf) == static_cast<T>(inf));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(special_values, T, numbers) {
    const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    const T infinity = std::numeric_limits<T>::infinity(), tiny = std::numeric_limits<T>::denorm_min();
    BOOST_TEST(TENET_TEST_VALUE(exp, -inf) == T(0));
    BOOST_TEST(TENET_TEST_VALUE(exp, inf) == infinity);
    BOOST_TEST(TENET_TEST_VALUE(exp, 1e4) == infinity);
    BOOST_TEST(TENET_TEST_VALUE(exp, -1e4) == T(0));
    BOOST_TEST(TENET_TEST_VALUE(exp, 0.0) == T(1));
    BOOST_TEST(TENET_TEST_VALUE(exp_not_positive, 0.0) == T(1));
    BOOST_TEST(TENET_TEST_VALUE(exp_not_positive, -inf) == T(0));
    BOOST_TEST(TENET_TEST_VALUE(exp_not_positive, -1e30) == T(0));
    BOOST_TEST(TENET_TEST_VALUE(expm1, -inf) == T(-1));
    BOOST_TEST(TENET_TEST_VALUE(expm1, inf) == infinity);
    BOOST_TEST(TENET_TEST_VALUE(log, 0.0) == -infinity);
    BOOST_TEST(TENET_TEST_VALUE(log, -0.0) == -infinity);
    BOOST_TEST(TENET_TEST_VALUE(log, inf) == infinity);
    BOOST_TEST(TENET_TEST_VALUE(log, 1.0) == T(0));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(log, -1.0)));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(log, -inf)));
    BOOST_TEST(TENET_TEST_VALUE(log1p, -1.0) == -infinity);
    BOOST_TEST(TENET_TEST_VALUE(log1p, inf) == infinity);
    BOOST_TEST(TENET_TEST_VALUE(log1p, static_cast<double>(tiny)) == tiny);
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(log1p, -1.5)));
    BOOST_TEST(TENET_TEST_VALUE(tanh, inf) == T(1));
    BOOST_TEST(TENET_TEST_VALUE(tanh, -inf) == T(-1));
    BOOST_TEST(TENET_TEST_VALUE(tanh, static_cast<double>(tiny)) == tiny);
    BOOST_TEST(TENET_TEST_VALUE(fast_tanh, inf) == T(1));
    BOOST_TEST(TENET_TEST_VALUE(fast_tanh, -inf) == T(-1));
    BOOST_TEST(std::signbit(TENET_TEST_VALUE(tanh, -0.0)));
    BOOST_TEST(TENET_TEST_VALUE(erf, inf) == T(1));
    BOOST_TEST(TENET_TEST_VALUE(erf, -inf) == T(-1));
    BOOST_TEST(TENET_TEST_VALUE(erf, 1e30) == T(1));
    BOOST_TEST(TENET_TEST_VALUE(sigmoid, inf) == T(1));
    BOOST_TEST(TENET_TEST_VALUE(sigmoid, -inf) == T(0));
    BOOST_TEST(TENET_TEST_VALUE(sigmoid, 1e30) == T(1));
    BOOST_TEST(TENET_TEST_VALUE(sigmoid, 0.0) == T(0.5));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(exp, nan)));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(exp_not_positive, nan)));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(expm1, nan)));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(log, nan)));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(log1p, nan)));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(tanh, nan)));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(fast_tanh, nan)));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(erf, nan)));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(sigmoid, nan)));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(sin, nan)));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(cos, inf)));
    BOOST_TEST(std::isnan(TENET_TEST_VALUE(sqrt, nan)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(order_and_rounding, T, numbers) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    using B = simd::batch<T>;
    const auto both = [](auto f, double x, double y) {
        return at<T>([&](auto v) { return f(v, B(static_cast<T>(y))); }, x);
    };
    const auto max = [](B x, B y) { return simd::max<T>(x, y); };
    const auto min = [](B x, B y) { return simd::min<T>(x, y); };
    BOOST_TEST(both(max, 1, 2) == T(2));
    BOOST_TEST(both(min, 1, 2) == T(1));
    BOOST_TEST(std::isnan(both(max, nan, 2)));
    BOOST_TEST(std::isnan(both(max, 2, nan)));
    BOOST_TEST(std::isnan(both(min, nan, 2)));
    BOOST_TEST(std::isnan(both(min, 2, nan)));
    const auto less = [](B x, B y) { return simd::to_number<T>(x < y); };
    BOOST_TEST(both(less, 1, 2) == T(1));
    BOOST_TEST(both(less, 2, 1) == T(0));
    BOOST_TEST(both(less, nan, 1) == T(0));
    for (double x : {-2.5, -1.5, -0.4, 0.0, 0.5, 1.5, 2.5, 3.7, 1e10, -1e10}) {
        BOOST_TEST(TENET_TEST_VALUE(floor, x) == std::floor(static_cast<T>(x)));
        BOOST_TEST(TENET_TEST_VALUE(ceil, x) == std::ceil(static_cast<T>(x)));
        BOOST_TEST(TENET_TEST_VALUE(round, x) == std::nearbyint(static_cast<T>(x)));
        BOOST_TEST(TENET_TEST_VALUE(trunc, x) == std::trunc(static_cast<T>(x)));
        BOOST_TEST(TENET_TEST_VALUE(abs, x) == std::abs(static_cast<T>(x)));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(reductions_of_lanes, T, numbers) {
    constexpr std::size_t n = simd::width<T>;
    alignas(64) T x[n];
    T sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
        x[i] = static_cast<T>((i * 7) % n) - T(2);
        sum += x[i];
    }
    const auto load = [&] { return simd::batch<T>::load_aligned(x); };
    BOOST_TEST(simd::reduce_add<T>(load()) == sum);
    BOOST_TEST(simd::reduce_max<T>(load()) == *std::max_element(x, x + n));
    BOOST_TEST(simd::reduce_min<T>(load()) == *std::min_element(x, x + n));
    for (std::size_t i = 0; i < n; ++i) {
        const T kept = x[i];
        x[i] = std::numeric_limits<T>::quiet_NaN();
        BOOST_TEST(std::isnan(simd::reduce_max<T>(load())));
        BOOST_TEST(std::isnan(simd::reduce_min<T>(load())));
        x[i] = kept;
    }
}
