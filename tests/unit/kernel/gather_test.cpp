// SPDX-License-Identifier: MIT
// kernel/gather: rows and elements by index, their scattered additions in order, one-hot rows, bounds.
#define BOOST_TEST_MODULE kernel_gather
#include "kernel_test.hpp"

#include <tenet/kernel/gather.hpp>

using namespace kernel_test;
using tenet::constant;
namespace kernel = tenet::kernel;

BOOST_AUTO_TEST_CASE_TEMPLATE(rows_by_index, T, numbers) {
    for (std::size_t width : {1u, 7u, 16u, 17u, 65u, 384u, 1000u}) {
        const std::size_t rows = 19, count = 131;
        const auto table = random_vector<T>(rows * width, 1), dy = random_vector<T>(count * width, 2);
        const auto index = random_indices(count, 3, static_cast<std::int32_t>(rows));
        const auto got = on_any_threads([&] {
            std::vector<T> out(count * width);
            BOOST_TEST(kernel::gather_rows(table.data(), index.data(), out.data(), count, rows, width) == -1);
            return out;
        });
        std::vector<T> want(count * width), sums(rows * width, T(0)), more(rows * width, T(0.5));
        for (std::size_t i = 0; i < count; ++i)
            for (std::size_t j = 0; j < width; ++j) {
                const auto row = static_cast<std::size_t>(index[i]);
                want[i * width + j] = table[row * width + j];
                sums[row * width + j] += dy[i * width + j];
                more[row * width + j] += dy[i * width + j];
            }
        BOOST_TEST(same_bits(got, want));
        for (bool accumulate : {false, true}) {
            const auto scattered = on_any_threads([&] {
                std::vector<T> out(rows * width, T(0.5));
                kernel::scatter_add_rows(dy.data(), index.data(), out.data(), count, rows, width, accumulate);
                return out;
            });
            // The same additions in the same order: equal bits, not only close.
            BOOST_TEST(same_bits(scattered, accumulate ? more : sums));
        }
    }
    const auto table = random_vector<T>(4 * 64, 1);
    const std::int32_t index[] = {3, 0, 3};
    std::vector<T> out(3 * 64);
    BOOST_TEST(kernel::gather_rows(table.data(), index, out.data(), constant<3>{}, constant<4>{}, constant<64>{}) ==
               -1);
    BOOST_TEST(out[63] == table[4 * 64 - 1]);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(many_rows_on_threads, T, numbers) {
    const std::size_t rows = 80, count = 3000, width = 200;
    const auto dy = random_vector<T>(count * width, 2);
    const auto index = random_indices(count, 3, static_cast<std::int32_t>(rows));
    std::vector<T> sums(rows * width, T(0));
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t j = 0; j < width; ++j)
            sums[static_cast<std::size_t>(index[i]) * width + j] += dy[i * width + j];
    const auto got = on_any_threads([&] {
        std::vector<T> out(rows * width);
        kernel::scatter_add_rows(dy.data(), index.data(), out.data(), count, rows, width, false);
        return out;
    });
    BOOST_TEST(same_bits(got, sums));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(elements_along_an_axis, T, numbers) {
    for (std::size_t post : {1u, 5u})
        for (std::size_t pre : {1u, 6u, 900u}) {
            const std::size_t n_in = 13, n_out = 7;
            const auto x = random_vector<T>(pre * n_in * post, 1), dy = random_vector<T>(pre * n_out * post, 2);
            const auto index = random_indices(pre * n_out * post, 3, 13);
            std::vector<T> want(dy.size()), sums(x.size(), T(0)), more(x.size(), T(2));
            for (std::size_t p = 0; p < pre; ++p)
                for (std::size_t j = 0; j < n_out; ++j)
                    for (std::size_t q = 0; q < post; ++q) {
                        const std::size_t at = (p * n_out + j) * post + q;
                        const std::size_t from = (p * n_in + static_cast<std::size_t>(index[at])) * post + q;
                        want[at] = x[from];
                        sums[from] += dy[at];
                        more[from] += dy[at];
                    }
            const auto got = on_any_threads([&] {
                std::vector<T> out(dy.size());
                BOOST_TEST(kernel::gather_along(x.data(), index.data(), out.data(), pre, n_in, n_out, post) == -1);
                return out;
            });
            BOOST_TEST(same_bits(got, want));
            for (bool accumulate : {false, true}) {
                const auto scattered = on_any_threads([&] {
                    std::vector<T> out(x.size(), T(2));
                    kernel::scatter_add_along(dy.data(), index.data(), out.data(), pre, n_in, n_out, post, accumulate);
                    return out;
                });
                BOOST_TEST(same_bits(scattered, accumulate ? more : sums));
            }
        }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(bounds, T, numbers) {
    const std::vector<T> x(4, T(1));
    std::vector<T> out(8, T(9));
    for (std::int32_t bad : {-1, 4, 2147483647, -2147483647}) {
        const std::int32_t index[] = {0, 3, bad, bad};
        BOOST_TEST(kernel::gather_rows(x.data(), index, out.data(), 4u, 4u, 1u) == 2);
        BOOST_TEST(kernel::gather_along(x.data(), index, out.data(), 1u, 4u, 4u, 1u) == 2);
        BOOST_TEST(kernel::one_hot(index, out.data(), 4u, 4u) == 2);
        for (T v : out) BOOST_TEST(v == T(9));
        std::vector<T> sums(4);
        kernel::scatter_add_rows(x.data(), index, sums.data(), 4u, 4u, 1u, false);
        BOOST_TEST(sums == (std::vector<T>{1, 0, 0, 1}));
        kernel::scatter_add_along(x.data(), index, sums.data(), 1u, 4u, 4u, 1u, false);
        BOOST_TEST(sums == (std::vector<T>{1, 0, 0, 1}));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_hot_rows, T, numbers) {
    const std::int32_t index[] = {2, 0, 4};
    std::vector<T> out(15, T(9));
    BOOST_TEST(kernel::one_hot(index, out.data(), 3u, constant<5>{}) == -1);
    BOOST_TEST(out == (std::vector<T>{0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
}
