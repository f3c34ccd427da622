// SPDX-License-Identifier: MIT
// Products of bfloat16 numbers against sums of the rounded operands in double precision, over layouts, element types,
// sizes, epilogues and thread counts; and the rounding itself, bit for bit.
#define BOOST_TEST_MODULE gemm_bf16
#include <boost/test/unit_test.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

#include <tenet/kernel/gemm_bf16.hpp>
#include <tenet/parallel/threads.hpp>
#include <tenet/simd/bf16.hpp>

namespace {

using tenet::bfloat16;
using namespace tenet::kernel;

std::ptrdiff_t as_index(std::size_t n) {
    return static_cast<std::ptrdiff_t>(n);
}

enum class layout { rows, columns, scattered };
constexpr layout all_layouts[] = {layout::rows, layout::columns, layout::scattered};

template <class T>
struct matrix {
    std::size_t rows, columns;
    std::ptrdiff_t row_stride, column_stride;
    std::vector<T> data;

    matrix(std::size_t r, std::size_t c, layout l, unsigned seed) : rows(r), columns(c) {
        row_stride = l == layout::rows ? as_index(c) + 1 : l == layout::columns ? 1 : 2;
        column_stride = l == layout::rows ? 1 : l == layout::columns ? as_index(r) : 2 * as_index(r) + 1;
        if (r != 0 && c != 0) data.resize(offset(r - 1, c - 1) + 1);
        std::mt19937 engine(seed);
        std::uniform_real_distribution<float> uniform(-1, 1);
        for (T& x : data) x = T(uniform(engine));
    }
    std::size_t offset(std::size_t i, std::size_t j) const {
        return static_cast<std::size_t>(as_index(i) * row_stride + as_index(j) * column_stride);
    }
    float at(std::size_t i, std::size_t j) const { return static_cast<float>(data[offset(i, j)]); }
    matrix_view<T const> view() const { return {data.data(), row_stride, column_stride}; }
};

template <class A, class B>
std::vector<float> product(matrix<A> const& a, matrix<B> const& b, matrix<float> c, bool accumulate,
                           epilogue<float> const& e, int threads) {
    tenet::with_threads(threads, [&] {
        gemm_bf16<A, B>(a.rows, b.columns, a.columns, a.view(), b.view(),
                        matrix_view<float>{c.data.data(), c.row_stride, c.column_stride}, accumulate, e);
    });
    return c.data;
}

template <class A, class B>
void check(std::size_t m, std::size_t n, std::size_t k, layout la, layout lb, layout lc, bool accumulate,
           bool with_epilogue) {
    const matrix<A> a(m, k, la, 1);
    const matrix<B> b(k, n, lb, 2);
    const matrix<float> before(m, n, lc, 3), bias(1, n, layout::rows, 4);
    epilogue<float> e;
    if (with_epilogue) {
        e.scale = 0.5f;
        e.column_bias = bias.data.data();
        e.f = activation::relu;
    }
    const std::vector<float> c = product(a, b, before, accumulate, e, 1);
    double worst = 0;
    std::vector<char> inside(c.size(), 0);
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            double sum = 0;
            for (std::size_t s = 0; s < k; ++s)
                sum += double{float(bfloat16(a.at(i, s)))} * double{float(bfloat16(b.at(s, j)))};
            if (with_epilogue) sum *= 0.5;
            const std::size_t o = before.offset(i, j);
            if (accumulate) sum += double{before.data[o]};
            if (with_epilogue) sum = std::fmax(sum + double{bias.data[j]}, 0);
            worst = std::fmax(worst, std::isnan(c[o]) ? 1e30 : std::fabs(sum - double{c[o]}));
            inside[o] = 1;
        }
    for (std::size_t o = 0; o < c.size(); ++o)
        if (!inside[o] && std::memcmp(&c[o], &before.data[o], 4) != 0) worst = 2e30;
    const double tolerance = double{std::numeric_limits<float>::epsilon()} * (8 + static_cast<double>(k));
    BOOST_TEST(worst < tolerance, "m " << m << " n " << n << " k " << k << " layouts " << int(la) << int(lb) << int(lc)
                                       << " accumulate " << accumulate << ": error " << worst);
}

/// A rounded result has the bits of the float result, rounded; what is kept stays float.
template <class A, class B>
void check_rounded(std::size_t m, std::size_t n, std::size_t k, layout la, layout lb, layout lc, bool with_epilogue) {
    const matrix<A> a(m, k, la, 1);
    const matrix<B> b(k, n, lb, 2);
    const matrix<float> bias(1, n, layout::rows, 4);
    matrix<float> c(m, n, lc, 3), kept(m, n, lc, 3);
    const matrix<float> residual(m, n, lc, 6);
    epilogue<float> e;
    if (with_epilogue) {
        e.column_bias = bias.data.data();
        e.f = activation::gelu;
        e.residual = residual.data.data();
        e.kept = kept.data.data();
    }
    const std::vector<float> sums = product(a, b, c, false, e, 1);
    matrix<float> other_kept(m, n, lc, 3);
    if (with_epilogue) e.kept = other_kept.data.data();
    for (int threads : {1, 3}) {
        matrix<bfloat16> rounded(m, n, lc, 3);
        tenet::with_threads(threads, [&] {
            gemm_bf16<A, B>(m, n, k, a.view(), b.view(),
                            matrix_view<bfloat16>{rounded.data.data(), rounded.row_stride, rounded.column_stride}, e);
        });
        std::size_t wrong = 0;
        for (std::size_t o = 0; o < sums.size(); ++o) {
            wrong += rounded.data[o].bits != bfloat16(sums[o]).bits;
            wrong += kept.data[o] != other_kept.data[o];
        }
        BOOST_TEST(wrong == 0u, "m " << m << " n " << n << " k " << k << " layouts " << int(la) << int(lb) << int(lc)
                                     << " epilogue " << with_epilogue << " threads " << threads);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(results_rounded_once) {
    for (layout la : {layout::rows, layout::columns})
        for (layout lb : {layout::rows, layout::columns})
            for (layout lc : {layout::rows, layout::columns})
                for (bool with_epilogue : {false, true})
                    for (auto [m, n, k] : {std::tuple{1, 1, 1}, {8, 48, 32}, {9, 50, 7}, {67, 129, 800}, {96, 96, 0}}) {
                        const auto at = [](int x) { return static_cast<std::size_t>(x); };
                        if (lc == layout::columns && with_epilogue) continue;  // the bias lies along the rows there
                        check_rounded<float, float>(at(m), at(n), at(k), la, lb, lc, with_epilogue);
                        check_rounded<bfloat16, bfloat16>(at(m), at(n), at(k), la, lb, lc, with_epilogue);
                        check_rounded<bfloat16, float>(at(m), at(n), at(k), la, lb, lc, with_epilogue);
                    }
    check_rounded<float, bfloat16>(300, 200, 300, layout::rows, layout::columns, layout::rows, true);
    const matrix<float> a(2, 1025, layout::rows, 1), b(1025, 2, layout::rows, 1);
    std::vector<bfloat16> c(8);
    BOOST_CHECK_THROW((gemm_bf16<float, float>(2, 2, 1025, a.view(), b.view(), matrix_view<bfloat16>{c.data(), 2, 1})),
                      tenet::exception);
    BOOST_CHECK_THROW((gemm_bf16<float, float>(2, 2, 8, a.view(), b.view(), matrix_view<bfloat16>{c.data(), 4, 2})),
                      tenet::exception);
}

BOOST_AUTO_TEST_CASE(rounds_to_nearest_even) {
    const auto bits = [](float x) { return bfloat16(x).bits; };
    BOOST_TEST(bits(1.0f) == 0x3f80);
    BOOST_TEST(bits(std::bit_cast<float>(0x3f808000u)) == 0x3f80);  // half-way: to the even one
    BOOST_TEST(bits(std::bit_cast<float>(0x3f818000u)) == 0x3f82);
    BOOST_TEST(bits(std::bit_cast<float>(0x3f808001u)) == 0x3f81);
    BOOST_TEST(bits(std::numeric_limits<float>::max()) == 0x7f80);
    BOOST_TEST(bits(-std::numeric_limits<float>::infinity()) == 0xff80);
    BOOST_TEST(std::isnan(float(bfloat16(std::numeric_limits<float>::quiet_NaN()))));
    BOOST_TEST(std::isnan(float(bfloat16(std::bit_cast<float>(0x7f800001u)))));
    for (std::uint32_t x = 0; x < 0x10000; x += 7) {
        bfloat16 y;
        y.bits = static_cast<std::uint16_t>(x);
        if (!std::isnan(float(y))) BOOST_TEST(bits(float(y)) == x);
    }
}

BOOST_AUTO_TEST_CASE(registers_round_as_numbers_do) {
    constexpr std::size_t width = tenet::simd::width<float>;
    std::mt19937 engine(9);
    for (int repeat = 0; repeat < 2000; ++repeat) {
        alignas(64) float x[2 * width];
        for (float& v : x) {
            do v = std::bit_cast<float>(static_cast<std::uint32_t>(engine()));
            while (v != 0 && std::fabs(v) < std::numeric_limits<float>::min());
            if (engine() % 8 == 0) v = std::bit_cast<float>((std::bit_cast<std::uint32_t>(v) & 0xffff0000u) | 0x8000u);
        }
        using batch = tenet::simd::batch<float>;
        const auto pairs = tenet::simd::to_pairs(batch::load_unaligned(x), batch::load_unaligned(x + width));
        const auto in_order = tenet::simd::load_as_pairs(x);
        for (std::size_t i = 0; i < width; ++i) {
            const auto same = [](std::uint32_t found, float from) {
                const bfloat16 expected(from);
                if (std::isnan(from)) return (found & 0x7fffu) > 0x7f80u;
                return found == expected.bits;
            };
            BOOST_TEST((same(pairs[i] & 0xffffu, x[i]) && same(pairs[i] >> 16, x[width + i])));
            BOOST_TEST((same(in_order[i] & 0xffffu, x[2 * i]) && same(in_order[i] >> 16, x[2 * i + 1])));
        }
    }
}

// The instruction, where there is one, against the two multiply-adds of other processors and against double.
BOOST_AUTO_TEST_CASE(both_dot_products_of_pairs_are_sums_within_two_roundings) {
    using namespace tenet::simd;
    using batch = tenet::simd::batch<float>;
    constexpr std::size_t lanes = width<float>;
    std::mt19937 engine(4);
    std::uniform_real_distribution<float> uniform(-1, 1);
    bool exact_once = false;
    for (int repeat = 0; repeat < 5000; ++repeat) {
        alignas(64) float x[2 * lanes], y[2 * lanes], sum[lanes], found[lanes], widened[lanes];
        for (float* v : {x, y})
            for (std::size_t i = 0; i < 2 * lanes; ++i)
                v[i] = std::ldexp(uniform(engine), static_cast<int>(engine() % 9));
        for (float& v : sum) v = std::ldexp(uniform(engine), static_cast<int>(engine() % 12));
        const auto px = load_as_pairs(x), py = load_as_pairs(y);
        dot_pairs(px, py, batch::load_aligned(sum)).store_aligned(found);
        tenet::simd::detail::dot_pairs_widened(px, py, batch::load_aligned(sum)).store_aligned(widened);
        for (std::size_t i = 0; i < lanes; ++i) {
            const auto rounded = [](float v) { return double{float(bfloat16(v))}; };
            const double low = rounded(x[2 * i]) * rounded(y[2 * i]),
                         high = rounded(x[2 * i + 1]) * rounded(y[2 * i + 1]);
            const double expected = double{sum[i]} + low + high;
            const double largest = std::fabs(double{sum[i]}) + std::fabs(low) + std::fabs(high);
            const double allowed = largest * double{std::numeric_limits<float>::epsilon()};
            BOOST_TEST(std::fabs(double{found[i]} - expected) <= allowed);
            BOOST_TEST(std::fabs(double{widened[i]} - expected) <= allowed);
            exact_once = exact_once || double{found[i]} == expected;
        }
    }
    BOOST_TEST(exact_once);
}

using operand_types = std::tuple<std::pair<float, float>, std::pair<bfloat16, bfloat16>, std::pair<float, bfloat16>,
                                 std::pair<bfloat16, float>>;

BOOST_AUTO_TEST_CASE_TEMPLATE(every_layout_and_size, P, operand_types) {
    using A = typename P::first_type;
    using B = typename P::second_type;
    const std::size_t sizes[][3] = {{1, 1, 1},   {8, 48, 64},  {19, 53, 33},   {3, 16, 2},  {40, 100, 130},
                                    {7, 65, 31}, {1, 200, 70}, {200, 1, 70},   {17, 33, 1}, {16, 96, 2049},
                                    {5, 7, 0},   {0, 4, 3},    {30, 300, 1100}};
    for (auto const& [m, n, k] : sizes)
        for (layout la : all_layouts)
            for (layout lb : all_layouts)
                for (layout lc : all_layouts)
                    for (bool accumulate : {false, true})
                        check<A, B>(m, n, k, la, lb, lc, accumulate, (m + n) % 2 == 0);
}

BOOST_AUTO_TEST_CASE(bits_do_not_depend_on_threads) {
    const std::size_t sizes[][3] = {{768, 384, 128}, {600, 65, 700}, {65, 900, 300}, {1, 9000, 600}};
    for (auto const& [m, n, k] : sizes)
        for (layout lb : all_layouts)
            for (layout lc : all_layouts) {
                const matrix<float> a(m, k, layout::rows, 1), c(m, n, lc, 3);
                const matrix<bfloat16> b(k, n, lb, 2);
                const auto one = product(a, b, c, true, {}, 1);
                for (int threads : {2, 3}) BOOST_TEST((product(a, b, c, true, {}, threads) == one));
            }
}

// Where the processor has tiles of its own, products of most sizes take them; those without them are the same sums.
BOOST_AUTO_TEST_CASE(with_and_without_tiles) {
    const std::size_t sizes[][3] = {{64, 96, 128}, {33, 65, 37}, {100, 50, 131}, {40, 70, 1500}, {16, 16, 32}};
    for (auto const& [m, n, k] : sizes)
        for (layout la : all_layouts)
            for (layout lb : all_layouts) {
                const matrix<float> a(m, k, la, 1), c(m, n, layout::rows, 3);
                const matrix<bfloat16> b(k, n, lb, 2);
                matrix<float> plain = c;
                const detail::bf16_problem<float> p{{m,
                                                     n,
                                                     k,
                                                     {nullptr, 0, 0},
                                                     {nullptr, 0, 0},
                                                     {plain.data.data(), plain.row_stride, plain.column_stride},
                                                     true}};
                detail::bf16_block<float, bfloat16, float>(p, a.view(), b.view(), 0, m, 0, n);
                const auto y = product(a, b, c, true, {}, 1);
                float worst = 0;
                for (std::size_t i = 0; i < y.size(); ++i) worst = std::fmax(worst, std::fabs(y[i] - plain.data[i]));
                BOOST_TEST(worst < 2e-6f * static_cast<float>(k), m << " x " << n << " x " << k << ": " << worst);
            }
}
