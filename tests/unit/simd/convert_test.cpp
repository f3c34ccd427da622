// SPDX-License-Identifier: MIT
// simd/convert and partial registers: every pair of element types, every length, and nothing written beyond it.
#define BOOST_TEST_MODULE simd_convert
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <type_traits>

#include <tenet/simd/convert.hpp>
#include <tenet/simd/lookup.hpp>

namespace simd = tenet::simd;

namespace {

template <class S>
S sample(std::size_t i) {
    if constexpr (std::is_same_v<S, bool>) return i % 3 == 0;
    if constexpr (std::is_floating_point_v<S>) return static_cast<S>(i) * S(1.25) - S(7.5);
    return static_cast<S>(static_cast<S>(i) * 3 - 11);
}

template <class T, class S>
void check_pair() {
    constexpr std::size_t n = simd::width<T>;
    S source[n + 1];
    for (std::size_t i = 0; i <= n; ++i) source[i] = sample<S>(i);
    for (std::size_t count = 0; count <= n; ++count) {
        T lanes[n];
        simd::load_as_partial<T>(source + 1, count).store_unaligned(lanes);
        for (std::size_t i = 0; i < n; ++i) BOOST_TEST(lanes[i] == (i < count ? static_cast<T>(source[i + 1]) : T(0)));
        S target[n + 1];
        for (std::size_t i = 0; i <= n; ++i) target[i] = sample<S>(i + 5);
        for (std::size_t i = 0; i < n; ++i) lanes[i] = sample<T>(i);
        simd::store_from_partial<T>(simd::batch<T>::load_unaligned(lanes), target, count);
        for (std::size_t i = 0; i <= n; ++i)
            BOOST_TEST(target[i] == (i < count ? static_cast<S>(lanes[i]) : sample<S>(i + 5)));
    }
    T lanes[n];
    simd::load_as<T>(source + 1).store_unaligned(lanes);
    for (std::size_t i = 0; i < n; ++i) BOOST_TEST(lanes[i] == static_cast<T>(source[i + 1]));
    S target[n];
    simd::store_from<T>(simd::batch<T>::load_unaligned(lanes), target);
    for (std::size_t i = 0; i < n; ++i) BOOST_TEST(target[i] == source[i + 1]);
}

}  // namespace

using numbers = boost::mpl::list<float, double>;

BOOST_AUTO_TEST_CASE_TEMPLATE(all_pairs, T, numbers) {
    check_pair<T, float>();
    check_pair<T, double>();
    check_pair<T, std::int32_t>();
    check_pair<T, std::int64_t>();
    check_pair<T, bool>();
    check_pair<T, std::int8_t>();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(half_floats, T, numbers) {
    constexpr std::size_t n = simd::width<T>;
    std::uint16_t bits[n + 1];
    float values[n + 1];
    for (std::size_t i = 0; i <= n; ++i) {
        values[i] = i % 4 == 3 ? std::numeric_limits<float>::infinity() : 0.5f - static_cast<float>(i);
        bits[i] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(values[i]) >> 16);
    }
    T lanes[n];
    simd::load_bfloat16<T>(bits + 1).store_unaligned(lanes);
    for (std::size_t i = 0; i < n; ++i) BOOST_TEST(lanes[i] == static_cast<T>(values[i + 1]));
}

BOOST_AUTO_TEST_CASE(rounded_floats_at_every_length) {
    using tenet::bfloat16;
    constexpr std::size_t n = simd::width<float>;
    const float special[] = {0.0f,
                             -0.0f,
                             1.0f + 1.0f / 256,
                             1.0f + 3.0f / 256,
                             std::numeric_limits<float>::max(),
                             -1e-30f,
                             3.1415927f,
                             std::numeric_limits<float>::infinity(),
                             std::numeric_limits<float>::quiet_NaN()};
    float values[n];
    for (std::size_t first = 0; first < std::size(special); ++first) {
        for (std::size_t i = 0; i < n; ++i) values[i] = special[(first + i) % std::size(special)];
        const auto x = simd::batch<float>::load_unaligned(values);
        for (std::size_t count = 0; count <= n; ++count) {
            bfloat16 target[n + 1];
            std::fill(target, target + n + 1, bfloat16(9.0f));
            simd::store_from_partial<float>(x, target, count);
            for (std::size_t i = 0; i <= n; ++i)
                BOOST_TEST(target[i].bits == bfloat16(i < count ? values[i] : 9.0f).bits);
        }
        bfloat16 whole[n];
        simd::store_from<float>(x, whole);
        for (std::size_t i = 0; i < n; ++i) BOOST_TEST(whole[i].bits == bfloat16(values[i]).bits);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_byte_has_its_sign, T, numbers) {
    constexpr std::size_t n = simd::width<T>;
    for (int first = -128; first + static_cast<int>(n) <= 128; ++first) {
        std::int8_t bytes[n];
        for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::int8_t>(first + static_cast<int>(i));
        T lanes[n];
        simd::load_as<T>(bytes).store_unaligned(lanes);
        for (std::size_t i = 0; i < n; ++i) BOOST_TEST(lanes[i] == static_cast<T>(bytes[i]));
    }
}

template <class T>
void check_lookup() {
    if constexpr (simd::width<T> == 16) {
        T table[16], lanes[16];
        for (std::size_t i = 0; i < 16; ++i) table[i] = static_cast<T>(i * i) - T(7);
        const std::uint8_t packed[8] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xf0};
        simd::lookup_codes<T>(simd::batch<T>::load_unaligned(table), packed).store_unaligned(lanes);
        for (std::size_t i = 0; i < 16; ++i) {
            const unsigned code = i % 2 == 0 ? packed[i / 2] >> 4 : packed[i / 2] & 15u;
            BOOST_TEST(lanes[i] == table[code]);
        }
    }
}
BOOST_AUTO_TEST_CASE(codes_by_halves_of_bytes) {
    check_lookup<float>();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(bool_is_not_zero, T, numbers) {
    constexpr std::size_t n = simd::width<T>;
    const T values[] = {
        T(0), T(-0.0), T(0.25), T(-3), std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::denorm_min()};
    const bool expected[] = {false, false, true, true, true, true};
    for (std::size_t k = 0; k < 6; ++k) {
        bool out[n];
        simd::store_from<T>(simd::batch<T>(values[k]), out);
        for (bool b : out) BOOST_TEST(b == expected[k]);
    }
}

BOOST_AUTO_TEST_CASE(large_integers) {
    constexpr std::size_t n = simd::width<double>;
    std::int64_t source[n], target[n];
    for (std::size_t i = 0; i < n; ++i) source[i] = (std::int64_t{1} << 52) - static_cast<std::int64_t>(i) * 12345;
    simd::store_from<double>(simd::load_as<double>(source), target);
    for (std::size_t i = 0; i < n; ++i) BOOST_TEST(target[i] == source[i]);
    for (std::size_t i = 0; i < n; ++i) source[i] = -source[i];
    simd::store_from<double>(simd::load_as<double>(source), target);
    for (std::size_t i = 0; i < n; ++i) BOOST_TEST(target[i] == source[i]);
}
