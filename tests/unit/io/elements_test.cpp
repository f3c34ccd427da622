// SPDX-License-Identifier: MIT
// Elements of files: every narrow floating pattern against plain arithmetic, every pair of types, any alignment.
#define BOOST_TEST_MODULE io_elements
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include <tenet/io/elements.hpp>

#include "temporary_folder.hpp"

using namespace tenet;

namespace {

constexpr std::array every_type{dtype::float32, dtype::float64,     dtype::float16, dtype::bfloat16, dtype::float8_e4m3,
                                dtype::int8,    dtype::float8_e5m2, dtype::int16,   dtype::int32,    dtype::int64,
                                dtype::uint8,   dtype::uint16,      dtype::uint32,  dtype::uint64,   dtype::boolean};

bool is_signed_integer(dtype t) {
    return t == dtype::int8 || t == dtype::int16 || t == dtype::int32 || t == dtype::int64;
}

// The bytes of 0, 1, 1, 0, 1 in each type, made without the code under test.
std::vector<std::byte> zeros_and_ones(dtype type) {
    std::uint64_t one = 1;
    if (type == dtype::float32) one = 0x3f800000;
    if (type == dtype::float64) one = 0x3ff0000000000000;
    if (type == dtype::float16) one = 0x3c00;
    if (type == dtype::bfloat16) one = 0x3f80;
    if (type == dtype::float8_e4m3) one = 0x38;
    if (type == dtype::float8_e5m2) one = 0x3c;
    std::vector<std::byte> bytes;
    for (std::uint64_t v : {0u, 1u, 1u, 0u, 1u}) {
        const std::uint64_t element = v * one;
        std::array<std::byte, 8> all{};
        std::memcpy(all.data(), &element, 8);
        bytes.insert(bytes.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size_of(type)));
    }
    return bytes;
}

// Rounding to nearest, ties to even, by searching all finite patterns of one sign.
template <class FromBits>
std::uint16_t nearest(double value, std::uint16_t infinity, double beyond, FromBits const& from_bits) {
    const double size = std::fabs(value);
    std::uint16_t best = infinity;
    if (size < beyond) {
        std::uint32_t low = 0, high = infinity;
        while (high - low > 1) {
            const std::uint32_t middle = (low + high) / 2;
            (static_cast<double>(from_bits(static_cast<std::uint16_t>(middle))) <= size ? low : high) = middle;
        }
        best = static_cast<std::uint16_t>(low);
        const double below = static_cast<double>(from_bits(best));
        const auto next = static_cast<std::uint16_t>(low + 1);
        const double above = next == infinity ? beyond + (beyond - below) : static_cast<double>(from_bits(next));
        if (size - below > above - size || (size - below == above - size && (best & 1) != 0)) best = next;
    }
    return static_cast<std::uint16_t>(best | (std::signbit(value) ? 0x8000 : 0));
}

}  // namespace

BOOST_AUTO_TEST_CASE(types_have_sizes_and_names) {
    for (dtype t : every_type) {
        BOOST_TEST_CONTEXT(name_of(t)) {
            BOOST_TEST(name_of(t) != "real");
            std::string digits;
            for (char c : name_of(t))
                if (c >= '0' && c <= '9' && digits.size() < 2) digits += c;
            if (name_of(t).starts_with("float8")) digits = "8";
            BOOST_TEST(size_of(t) == (t == dtype::boolean ? 1 : std::stoul(digits) / 8));
        }
    }
}

BOOST_AUTO_TEST_CASE(binary16_rounds_once_to_the_nearest) {
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const auto pattern = static_cast<std::uint16_t>(bits);
        const float value = float_from_float16(pattern);
        if (std::isnan(value)) BOOST_REQUIRE(std::isnan(float_from_float16(float16_from_float(value))));
        else BOOST_REQUIRE(float16_from_float(value) == pattern);
    }
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> exponents(-27, 17), mantissas(1, 2);
    for (int i = 0; i < 200'000; ++i) {
        double value = std::ldexp(mantissas(random), static_cast<int>(std::floor(exponents(random))));
        if (i % 2 != 0) value = -value;
        if (i % 5 == 0) value = static_cast<double>(static_cast<float>(value));
        BOOST_REQUIRE(float16_from_double(value) == nearest(value, 0x7c00, 65520, float_from_float16));
    }
    // Ties, and what lies just beside them.
    BOOST_TEST(float16_from_double(1.0 + 0x1p-11) == 0x3c00);
    BOOST_TEST(float16_from_double(1.0 + 3 * 0x1p-11) == 0x3c02);
    BOOST_TEST(float16_from_double(1.0 + 0x1p-11 + 0x1p-50) == 0x3c01);
    BOOST_TEST(float16_from_double(0x1p-25) == 0);
    BOOST_TEST(float16_from_double(std::nextafter(0x1p-25, 1.0)) == 1);
    BOOST_TEST(float16_from_double(-0x1.8p-24) == 0x8002);
    BOOST_TEST(float16_from_double(0x1p-14 - 0x1p-26) == 0x0400);
    BOOST_TEST(float16_from_double(65519.999) == 0x7bff);
    BOOST_TEST(float16_from_double(65520) == 0x7c00);
    BOOST_TEST(float16_from_double(-std::numeric_limits<double>::infinity()) == 0xfc00);
    BOOST_TEST(float16_from_double(-0.0) == 0x8000);
    BOOST_TEST(float16_from_double(std::numeric_limits<double>::denorm_min()) == 0);
    static_assert(float16_from_float(1.5f) == 0x3e00);
}

BOOST_AUTO_TEST_CASE(eight_bit_formats_are_exact) {
    for (unsigned bits = 0; bits < 256; ++bits) {
        const double sign = bits >= 128 ? -1 : 1;
        const float four = float_from_float8_e4m3(static_cast<std::uint8_t>(bits));
        const unsigned e4 = (bits >> 3) & 15, m3 = bits & 7;
        if (e4 == 15 && m3 == 7) BOOST_TEST(std::isnan(four));
        else
            BOOST_TEST(static_cast<double>(four) ==
                       sign * (e4 == 0 ? m3 * 0x1p-9 : std::ldexp(1 + m3 / 8.0, static_cast<int>(e4) - 7)));
        const float five = float_from_float8_e5m2(static_cast<std::uint8_t>(bits));
        const unsigned e5 = (bits >> 2) & 31, m2 = bits & 3;
        if (e5 == 31) BOOST_TEST((m2 == 0 ? std::isinf(five) : std::isnan(five)));
        else
            BOOST_TEST(static_cast<double>(five) ==
                       sign * (e5 == 0 ? m2 * 0x1p-16 : std::ldexp(1 + m2 / 4.0, static_cast<int>(e5) - 15)));
        BOOST_TEST(std::signbit(four) == (bits >= 128));
        BOOST_TEST(std::signbit(five) == (bits >= 128));
    }
    BOOST_TEST(float_from_float8_e4m3(0x7e) == 448.0f);
    BOOST_TEST(float_from_float8_e5m2(0x7b) == 57344.0f);
}

BOOST_AUTO_TEST_CASE(every_pair_of_types_at_every_alignment) {
    std::size_t pairs = 0;
    for (dtype from : every_type) {
        const auto bytes = zeros_and_ones(from);
        for (dtype to : every_type) {
            BOOST_TEST_CONTEXT(name_of(from) << " to " << name_of(to)) {
                const auto expected = zeros_and_ones(to);
                if (!convertible(from, to)) continue;
                ++pairs;
                for (std::size_t shift = 0; shift < 8; ++shift) {
                    std::vector<std::byte> source(shift), result(expected.size() + 2 * shift, std::byte{0xAA});
                    source.insert(source.end(), bytes.begin(), bytes.end());
                    convert_elements(from, source.data() + shift, 5, to, result.data() + shift);
                    BOOST_TEST((std::memcmp(result.data() + shift, expected.data(), expected.size()) == 0));
                    for (std::size_t k = 0; k < shift; ++k) {
                        BOOST_TEST((result[k] == std::byte{0xAA}));
                        BOOST_TEST((result[result.size() - 1 - k] == std::byte{0xAA}));
                    }
                }
            }
        }
    }
    // 6 floating types to 4, and the two of 8 bits to themselves; integers as counted below; bool to bool.
    std::size_t integers = 1;
    for (dtype a : every_type)
        for (dtype b : every_type) {
            const bool whole = !is_floating(a) && !is_floating(b) && b != dtype::boolean;
            const bool holds = a == dtype::boolean || (is_signed_integer(a) == is_signed_integer(b)
                                                           ? size_of(a) <= size_of(b)
                                                           : !is_signed_integer(a) && size_of(a) < size_of(b));
            integers += whole && holds ? 1 : 0;
        }
    BOOST_TEST(pairs == 6 * 4 + 2 + integers);
}

BOOST_AUTO_TEST_CASE(extremes_survive_wide_destinations) {
    const std::array<std::int8_t, 3> narrow{-128, 127, -1};
    std::array<std::int64_t, 3> wide{};
    convert_elements(dtype::int8, reinterpret_cast<std::byte const*>(narrow.data()), 3, dtype::int64, wide.data());
    BOOST_TEST((wide == std::array<std::int64_t, 3>{-128, 127, -1}));
    const std::array<std::uint32_t, 1> top{0xffffffffu};
    convert_elements(dtype::uint32, reinterpret_cast<std::byte const*>(top.data()), 1, dtype::int64, wide.data());
    BOOST_TEST(wide[0] == 0xffffffffLL);
    BOOST_TEST(!convertible(dtype::uint64, dtype::int64));
    BOOST_TEST(!convertible(dtype::int8, dtype::uint64));
    BOOST_TEST(!convertible(dtype::float32, dtype::int64));
    BOOST_TEST(!convertible(dtype::int8, dtype::float64));
    BOOST_TEST(!convertible(dtype::uint8, dtype::boolean));
    BOOST_TEST(!convertible(dtype::float32, dtype::float8_e4m3));
    convert_elements(dtype::float32, nullptr, 0, dtype::float64, nullptr);
}

BOOST_AUTO_TEST_CASE(booleans_are_written_as_zero_and_one) {
    const std::array<std::uint8_t, 4> bytes{0, 1, 7, 255};
    std::array<std::uint8_t, 4> truth{9, 9, 9, 9};
    convert_elements(dtype::boolean, reinterpret_cast<std::byte const*>(bytes.data()), 4, dtype::boolean, truth.data());
    BOOST_TEST((truth == std::array<std::uint8_t, 4>{0, 1, 1, 1}));
}

BOOST_AUTO_TEST_CASE(copies_check_every_integer) {
    const std::array<std::int64_t, 2> numbers{3, std::int64_t{1} << 40};
    const auto bytes = std::as_bytes(std::span(numbers));
    std::array<std::int32_t, 2> small{};
    BOOST_CHECK_EXCEPTION(copy_elements(dtype::int64, bytes, small.begin(), "here"), exception,
                          says("here: expected integers of type int32, found 1099511627776"));
    BOOST_CHECK_EXCEPTION(copy_elements(dtype::float32, bytes, small.begin(), "here"), exception,
                          says("here: expected integers, found elements of type float32"));
    std::array<double, 2> real{};
    copy_elements(dtype::int64, bytes, real.begin(), "here");
    BOOST_TEST(real[1] == 0x1p40);
    std::vector<bool> truth(2);
    copy_elements(dtype::int64, bytes, truth.begin(), "here");
    BOOST_TEST((truth[0] && truth[1]));
}
