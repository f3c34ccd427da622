// SPDX-License-Identifier: MIT
// Matrix products against sums in double precision, over layouts, sizes, batches and thread counts.
#define BOOST_TEST_MODULE gemm
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

#include <tenet/base/constant.hpp>
#include <tenet/kernel/gemm.hpp>
#include <tenet/parallel/threads.hpp>

namespace {

using tenet::constant;
using tenet::kernel::gemm;
using tenet::kernel::gemm_batch;
using tenet::kernel::matrix_view;
using index = std::ptrdiff_t;

constexpr index as_index(std::size_t n) {
    return static_cast<index>(n);
}

enum class layout { rows, columns, padded_rows, padded_columns, scattered };
constexpr layout all_layouts[] = {layout::rows, layout::columns, layout::padded_rows, layout::padded_columns,
                                  layout::scattered};

/// A matrix in a buffer of exactly the elements that its strides reach, so that sanitizers see a read too far.
template <class T>
struct matrix {
    std::size_t rows, columns;
    index row_stride, column_stride;
    std::vector<T> data;

    matrix(std::size_t r, std::size_t c, layout l) : rows(r), columns(c) {
        switch (l) {
        case layout::rows: row_stride = as_index(c), column_stride = 1; break;
        case layout::columns: row_stride = 1, column_stride = as_index(r); break;
        case layout::padded_rows: row_stride = as_index(c) + 5, column_stride = 1; break;
        case layout::padded_columns: row_stride = 1, column_stride = as_index(r) + 3; break;
        case layout::scattered: row_stride = 2, column_stride = 2 * as_index(r) + 1; break;
        }
        if (r != 0 && c != 0) data.resize(offset(r - 1, c - 1) + 1);
    }
    std::size_t offset(std::size_t i, std::size_t j) const {
        return static_cast<std::size_t>(as_index(i) * row_stride + as_index(j) * column_stride);
    }
    T& at(std::size_t i, std::size_t j) { return data[offset(i, j)]; }
    T at(std::size_t i, std::size_t j) const { return data[offset(i, j)]; }
    void fill(std::mt19937& engine) {
        std::uniform_real_distribution<T> uniform(T(-1), T(1));
        for (T& x : data) x = uniform(engine);
    }
    matrix_view<T> view() { return {data.data(), row_stride, column_stride}; }
    matrix_view<T const> view() const { return {data.data(), row_stride, column_stride}; }
};

/// Rounding errors of a sum of k terms below one, whose partial sums stay near sqrt(k): far below this.
template <class T>
double tolerance(std::size_t k) {
    return static_cast<double>(std::numeric_limits<T>::epsilon()) * (8 + static_cast<double>(k));
}

/// The largest error of c = before * accumulate + a b, and whether c's padding is as it was.
template <class T>
double error_of(matrix<T> const& a, matrix<T> const& b, matrix<T> const& before, matrix<T> const& c, bool accumulate) {
    double worst = 0;
    std::vector<char> inside(c.data.size(), 0);
    for (std::size_t i = 0; i < c.rows; ++i)
        for (std::size_t j = 0; j < c.columns; ++j) {
            double sum = accumulate ? double{before.at(i, j)} : 0.0;
            for (std::size_t k = 0; k < a.columns; ++k) sum += double{a.at(i, k)} * double{b.at(k, j)};
            worst = std::fmax(worst, std::fabs(sum - double{c.at(i, j)}));
            if (std::isnan(c.at(i, j))) return 1e30;
            inside[c.offset(i, j)] = 1;
        }
    for (std::size_t e = 0; e < c.data.size(); ++e)
        if (!inside[e] && std::memcmp(&c.data[e], &before.data[e], sizeof(T)) != 0) return 1e30;
    return worst;
}

template <class T>
void check(auto m, auto n, auto k, layout la, layout lb, layout lc, bool accumulate, std::mt19937& engine) {
    matrix<T> a(m, k, la), b(k, n, lb), c(m, n, lc);
    a.fill(engine);
    b.fill(engine);
    c.fill(engine);
    const matrix<T> before = c;
    gemm<T>(m, n, k, a.view(), b.view(), c.view(), accumulate);
    const double error = error_of(a, b, before, c, accumulate);
    BOOST_TEST(error < tolerance<T>(k), "m " << m << " n " << n << " k " << k << " layouts " << int(la) << int(lb)
                                             << int(lc) << " accumulate " << accumulate << ": error " << error);
}

template <class T>
std::vector<T> product_with_threads(std::size_t threads, std::size_t m, std::size_t n, std::size_t k, layout la,
                                    layout lb, layout lc, std::size_t entries) {
    std::mt19937 engine(7);
    matrix<T> a(m, k * entries, la), b(k * entries, n, lb), c(m, n * entries, lc);
    a.fill(engine);
    b.fill(engine);
    c.fill(engine);
    gemm_batch batch;
    batch.rank = 1;
    batch.count[0] = entries;
    batch.a[0] = as_index(k) * a.column_stride;
    batch.b[0] = as_index(k) * b.row_stride;
    batch.c[0] = as_index(n) * c.column_stride;
    tenet::with_threads(static_cast<int>(threads),
                        [&] { gemm<T>(m, n, k, a.view(), b.view(), c.view(), true, batch); });
    return c.data;
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(every_layout_of_every_operand, T, decltype(std::tuple<float, double>())) {
    std::mt19937 engine(1);
    std::uniform_int_distribution<std::size_t> size(1, 70);
    for (layout la : all_layouts)
        for (layout lb : all_layouts)
            for (layout lc : all_layouts)
                for (bool accumulate : {false, true})
                    for (int repeat = 0; repeat < 2; ++repeat)
                        check<T>(size(engine), size(engine), size(engine), la, lb, lc, accumulate, engine);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(sizes_of_one, T, decltype(std::tuple<float, double>())) {
    std::mt19937 engine(2);
    for (layout la : all_layouts)
        for (layout lb : all_layouts)
            for (layout lc : all_layouts)
                for (std::size_t large : {std::size_t{1}, std::size_t{37}, std::size_t{600}})
                    for (bool accumulate : {false, true}) {
                        const std::size_t one = 1, some = 19;
                        check<T>(one, large, some, la, lb, lc, accumulate, engine);
                        check<T>(large, one, some, la, lb, lc, accumulate, engine);
                        check<T>(large, some, one, la, lb, lc, accumulate, engine);
                        check<T>(one, some, large, la, lb, lc, accumulate, engine);
                        check<T>(some, one, large, la, lb, lc, accumulate, engine);
                        check<T>(one, one, large, la, lb, lc, accumulate, engine);
                    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_small_square, T, decltype(std::tuple<float, double>())) {
    std::mt19937 engine(3);
    for (std::size_t n = 1; n <= 70; ++n)
        for (layout lb : {layout::rows, layout::columns})
            check<T>(n, n, n, layout::rows, lb, layout::rows, false, engine);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(more_than_one_block, T, decltype(std::tuple<float, double>())) {
    std::mt19937 engine(4);
    const layout pairs[][2] = {{layout::rows, layout::rows},
                               {layout::rows, layout::columns},
                               {layout::columns, layout::rows},
                               {layout::columns, layout::columns},
                               {layout::scattered, layout::scattered}};
    const std::size_t sizes[][3] = {{9, 700, 1100}, {130, 65, 1025}, {768, 65, 384}, {101, 384, 129}, {50, 301, 2048}};
    for (auto const& [la, lb] : pairs)
        for (auto const& [m, n, k] : sizes)
            for (bool accumulate : {false, true}) check<T>(m, n, k, la, lb, layout::rows, accumulate, engine);
}

BOOST_AUTO_TEST_CASE(shapes_of_a_small_gpt) {
    std::mt19937 engine(5);
    const layout r = layout::rows, t = layout::columns;
    check<float>(constant<768>{}, constant<384>{}, constant<128>{}, r, r, r, false, engine);
    check<float>(constant<768>{}, constant<384>{}, constant<128>{}, r, t, r, false, engine);
    check<float>(constant<768>{}, constant<128>{}, constant<384>{}, r, t, r, true, engine);
    check<float>(constant<128>{}, constant<384>{}, constant<768>{}, t, r, r, true, engine);
    check<float>(std::size_t{701}, constant<512>{}, constant<128>{}, r, r, r, false, engine);
    check<float>(constant<128>{}, constant<512>{}, std::size_t{701}, t, r, r, true, engine);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(static_small_sizes, T, decltype(std::tuple<float, double>())) {
    std::mt19937 engine(6);
    for (bool accumulate : {false, true})
        for (layout la : {layout::rows, layout::columns})
            for (layout lb : {layout::rows, layout::columns, layout::scattered})
                for (layout lc : {layout::rows, layout::columns}) {
                    check<T>(constant<1>{}, constant<1>{}, constant<1>{}, la, lb, lc, accumulate, engine);
                    check<T>(constant<3>{}, constant<5>{}, constant<7>{}, la, lb, lc, accumulate, engine);
                    check<T>(constant<4>{}, constant<4>{}, constant<4>{}, la, lb, lc, accumulate, engine);
                    check<T>(constant<8>{}, constant<8>{}, constant<8>{}, la, lb, lc, accumulate, engine);
                    check<T>(constant<16>{}, constant<16>{}, constant<16>{}, la, lb, lc, accumulate, engine);
                    check<T>(constant<24>{}, constant<24>{}, constant<24>{}, la, lb, lc, accumulate, engine);
                    check<T>(constant<17>{}, constant<33>{}, constant<9>{}, la, lb, lc, accumulate, engine);
                }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_terms_zero_or_keep, T, decltype(std::tuple<float, double>())) {
    matrix<T> a(3, 0, layout::rows), b(0, 4, layout::rows), c(3, 4, layout::padded_rows);
    for (T& x : c.data) x = T(5);
    gemm<T>(std::size_t{3}, constant<4>{}, constant<0>{}, a.view(), b.view(), c.view(), true);
    for (T x : c.data) BOOST_TEST(x == T(5));
    gemm<T>(std::size_t{3}, constant<4>{}, std::size_t{0}, a.view(), b.view(), c.view(), false);
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 4; ++j) BOOST_TEST(c.at(i, j) == T(0));
    BOOST_TEST(c.data[4] == T(5));
    gemm<T>(std::size_t{0}, constant<4>{}, constant<3>{}, a.view(), b.view(), c.view(), false);
    gemm<T>(constant<3>{}, std::size_t{0}, constant<3>{}, a.view(), b.view(), c.view(), false);
    BOOST_TEST(c.data[4] == T(5));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(batches_of_three_loops, T, decltype(std::tuple<float, double>())) {
    std::mt19937 engine(8);
    // Heads of packed projections: q[B,T,H,D] k[B,S,H,D] -> scores[B,H,T,S].
    const std::size_t B = 3, H = 2, L = 5, Q = 13, S = 21, D = 10;
    std::vector<T> q(B * Q * L * H * D), key(B * S * L * H * D), scores(B * L * H * Q * S);
    std::uniform_real_distribution<T> uniform(T(-1), T(1));
    for (T& x : q) x = uniform(engine);
    for (T& x : key) x = uniform(engine);
    gemm_batch batch{{B, L, H},
                     {as_index(Q * L * H * D), as_index(H * D), as_index(D)},
                     {as_index(S * L * H * D), as_index(H * D), as_index(D)},
                     {as_index(L * H * Q * S), as_index(H * Q * S), as_index(Q * S)},
                     3};
    gemm<T>(Q, S, D, matrix_view<T const>{q.data(), as_index(L * H * D), 1},
            matrix_view<T const>{key.data(), 1, as_index(L * H * D)}, matrix_view<T>{scores.data(), as_index(S), 1},
            false, batch);
    double worst = 0;
    for (std::size_t b = 0; b < B; ++b)
        for (std::size_t h = 0; h < L * H; ++h)
            for (std::size_t i = 0; i < Q; ++i)
                for (std::size_t j = 0; j < S; ++j) {
                    double sum = 0;
                    for (std::size_t d = 0; d < D; ++d)
                        sum += double{q[((b * Q + i) * L * H + h) * D + d]} *
                               double{key[((b * S + j) * L * H + h) * D + d]};
                    worst = std::fmax(worst, std::fabs(sum - double{scores[((b * L * H + h) * Q + i) * S + j]}));
                }
    BOOST_TEST(worst < tolerance<T>(D));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(bits_do_not_depend_on_threads, T, decltype(std::tuple<float, double>())) {
    const std::size_t sizes[][4] = {{768, 384, 128, 1}, {384, 65, 768, 1}, {64, 1100, 600, 1}, {1, 5000, 700, 1},
                                    {3000, 1, 900, 1},  {64, 64, 32, 48},  {200, 130, 90, 3},  {8, 4000, 300, 1}};
    for (auto const& [m, n, k, entries] : sizes)
        for (layout la : {layout::rows, layout::columns})
            for (layout lb : {layout::rows, layout::columns, layout::scattered})
                for (layout lc : {layout::rows, layout::columns}) {
                    const auto one = product_with_threads<T>(1, m, n, k, la, lb, lc, entries);
                    for (std::size_t threads : {std::size_t{2}, std::size_t{3}, std::size_t{4}})
                        BOOST_TEST((one == product_with_threads<T>(threads, m, n, k, la, lb, lc, entries)),
                                   "m " << m << " n " << n << " k " << k << " layouts " << int(la) << int(lb) << int(lc)
                                        << " threads " << threads);
                }
}
