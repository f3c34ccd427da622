// SPDX-License-Identifier: MIT
// simd/bytes and simd/tiles against loops; on machines without the instructions there is nothing to call.
#define BOOST_TEST_MODULE simd_bytes
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include <tenet/simd/bf16.hpp>
#include <tenet/simd/bytes.hpp>
#include <tenet/simd/tiles.hpp>

namespace simd = tenet::simd;

namespace {

std::vector<std::uint8_t> random_bytes(std::size_t n, unsigned seed) {
    std::mt19937 engine(seed);
    std::vector<std::uint8_t> v(n);
    for (auto& b : v) b = static_cast<std::uint8_t>(engine());
    return v;
}

template <class T>
void check_bytes() {
    if constexpr (simd::has_byte_tables) {
        for (unsigned seed = 0; seed < 50; ++seed) {
            const auto a = random_bytes(64, seed), b = random_bytes(64, seed + 100), c = random_bytes(64, seed + 200),
                       d = random_bytes(64, seed + 300);
            const simd::bytes x = simd::load_64_bytes(a.data()), y = simd::load_64_bytes(b.data());

            simd::byte_sums sums = simd::byte_sums{} + 7;
            simd::dot_bytes<T>(sums, x, y);
            for (std::size_t i = 0; i < 16; ++i) {
                int sum = 7;
                for (std::size_t q = 4 * i; q < 4 * i + 4; ++q) sum += int{a[q]} * static_cast<std::int8_t>(b[q]);
                BOOST_TEST(int{sums[i]} == sum);  // a copy: clang refers to no element
            }

            std::vector<std::uint8_t> table(64);
            for (std::size_t i = 0; i < 64; ++i) table[i] = c[i % 16];
            const simd::bytes tables = simd::load_64_bytes(table.data());
            const simd::bytes low = simd::lookup_bytes<T>(tables, x),
                              high = simd::lookup_bytes<T>(tables, simd::upper_nibbles<T>(x));
            simd::bytes columns[4];
            simd::interleave_four<T>(x, y, simd::load_64_bytes(c.data()), simd::load_64_bytes(d.data()), columns);
            for (std::size_t i = 0; i < 64; ++i) {
                BOOST_TEST(int{low[i]} == c[a[i] & 15u]);
                BOOST_TEST(int{high[i]} == c[a[i] >> 4]);
                const std::size_t run = i / 16, q = i % 16 / 4, lane = i % 4;
                std::vector<std::uint8_t> const* const rows[] = {&a, &b, &c, &d};
                for (std::size_t r = 0; r < 4; ++r)
                    BOOST_TEST(int{columns[q][4 * (4 * run + lane) + r]} == (*rows[r])[16 * run + 4 * q + lane]);
            }
        }
        const float numbers[16] = {0, 0.5f, 1.5f, -0.5f, -2.5f, 1e6f, -1e6f, 3.49f, 3.51f, -3.51f, 1, 2, 3, 4, 5, -6};
        const simd::byte_sums nearest =
            simd::nearest_integers<T>(simd::batch<T>::load_unaligned(numbers), simd::batch<T>(T{2}));
        T back[16];
        simd::to_floats<T>(nearest).store_unaligned(back);
        for (std::size_t i = 0; i < 16; ++i) BOOST_TEST(back[i] == std::nearbyint(2 * numbers[i]));

        // Whole numbers by halves, in every lane and place; the greatest and the least among them.
        std::mt19937 engine(3);
        std::uniform_int_distribution<int> any(-65278, 65278);
        float halves[64] = {65278, -65278, 65277, -65277, 255, 256, 257, -255, -256, -257, 0, 1, -1, 2, -2, 3};
        for (std::size_t i = 16; i < 64; ++i) halves[i] = static_cast<float>(any(engine));
        simd::batch<T> x[4];
        for (std::size_t r = 0; r < 4; ++r) x[r] = simd::batch<T>::load_unaligned(halves + 16 * r);
        simd::bytes h, l;
        simd::nearest_planes<T>(x, simd::batch<T>(T(0.5)), h, l);
        constexpr std::size_t place[4] = {0, 2, 1, 3};
        for (std::size_t i = 0; i < 64; ++i) {
            const std::size_t at = 4 * (i % 16) + place[i / 16];
            const int found = 256 * static_cast<std::int8_t>(h[at]) + static_cast<std::int8_t>(l[at]);
            BOOST_TEST(found == static_cast<int>(std::nearbyint(0.5f * halves[i])));
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(registers_of_bytes) {
    check_bytes<float>();
}

#if TENET_HAS_TILES
BOOST_AUTO_TEST_CASE(tiles_of_pairs) {
    if (!simd::tiles_allowed()) return;
    constexpr std::size_t side = simd::tile_size;
    std::mt19937 engine(1);
    std::uniform_real_distribution<float> uniform(-1, 1);
    // Rows further apart than they are long.
    std::vector<tenet::bfloat16> x(side * 80), y(side * 96);
    for (auto& v : x) v = tenet::bfloat16(uniform(engine));
    for (auto& v : y) v = tenet::bfloat16(uniform(engine));
    std::vector<float> sums(side * 20);
    for (float& s : sums) s = uniform(engine);
    const std::vector<float> before = sums;
    {
        const simd::tiles_in_use tiles;
        simd::load_tile<3>(sums.data(), 4 * 20);
        simd::load_tile<5>(x.data(), 2 * 80);
        simd::load_tile<6>(y.data(), 2 * 96);
        simd::dot_tiles<3, 5, 6>();
        simd::store_tile<3>(sums.data(), 4 * 20);
    }
    for (std::size_t i = 0; i < side; ++i)
        for (std::size_t j = 0; j < 20; ++j) {
            if (j >= side) {
                BOOST_TEST(sums[20 * i + j] == before[20 * i + j]);
                continue;
            }
            double sum = before[20 * i + j];
            for (std::size_t k = 0; k < 2 * side; ++k)
                sum += double{x[80 * i + k]} * double{y[96 * (k / 2) + 2 * j + k % 2]};
            BOOST_TEST(std::fabs(sums[20 * i + j] - sum) < 1e-5);
        }
    const simd::tiles_in_use tiles;
    simd::zero_tile<0>();
    simd::store_tile<0>(sums.data(), 4 * 20);
    for (std::size_t j = 0; j < side; ++j) BOOST_TEST(sums[j] == 0.0f);
}
#endif
