// SPDX-License-Identifier: MIT
// kernel/copy against a plain odometer: permutations, broadcasts, slices, negative strides, every element size.
#define BOOST_TEST_MODULE kernel_copy
#include "kernel_test.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include <tenet/kernel/copy.hpp>

using namespace kernel_test;
namespace kernel = tenet::kernel;

namespace {

using extents_type = std::array<std::size_t, 8>;
using strides_type = std::array<std::ptrdiff_t, 8>;

strides_type row_major(extents_type const& extents, std::size_t rank) {
    strides_type s{};
    std::ptrdiff_t step = 1;
    for (std::size_t a = rank; a-- > 0;) {
        s[a] = step;
        step *= static_cast<std::ptrdiff_t>(extents[a]);
    }
    return s;
}

template <class T>
std::vector<T> counted(std::size_t n) {
    std::vector<T> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<T>(i % 251 + i / 251 % 7);
    return x;
}

template <class T>
void odometer(T const* src, T* dst, extents_type const& n, strides_type const& s, strides_type const& d,
              std::size_t rank, bool add) {
    std::size_t total = 1;
    for (std::size_t a = 0; a < rank; ++a) total *= n[a];
    for (std::size_t u = 0; u < total; ++u) {
        std::ptrdiff_t from = 0, to = 0;
        std::size_t rest = u;
        for (std::size_t a = rank; a-- > 0; rest /= n[a]) {
            from += static_cast<std::ptrdiff_t>(rest % n[a]) * s[a];
            to += static_cast<std::ptrdiff_t>(rest % n[a]) * d[a];
        }
        dst[to] = add ? static_cast<T>(dst[to] + src[from]) : src[from];
    }
}

template <class T>
void check(std::vector<T> const& src, std::ptrdiff_t src_start, std::size_t dst_size, extents_type const& n,
           strides_type const& s, strides_type const& d, std::size_t rank) {
    for (bool add : {false, true}) {
        auto want = counted<T>(dst_size);
        odometer(src.data() + src_start, want.data(), n, s, d, rank, add);
        const auto got = on_any_threads([&] {
            auto out = counted<T>(dst_size);
            if (add) kernel::add_strided(src.data() + src_start, out.data(), n, s, d, rank);
            else kernel::copy_strided(src.data() + src_start, out.data(), n, s, d, rank);
            return out;
        });
        BOOST_TEST(same_bits(got, want), "rank " << rank << (add ? ", added" : ", copied"));
    }
}

// Every order of the axes of a contiguous source.
template <class T>
void check_permutations(std::vector<std::size_t> const& shape) {
    const std::size_t rank = shape.size();
    extents_type from{};
    std::copy(shape.begin(), shape.end(), from.begin());
    const strides_type strides = row_major(from, rank);
    const std::size_t total = std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>{});
    const auto src = counted<T>(total);
    std::vector<std::size_t> order(rank);
    std::iota(order.begin(), order.end(), std::size_t{0});
    do {
        extents_type n{};
        strides_type s{};
        for (std::size_t a = 0; a < rank; ++a) {
            n[a] = shape[order[a]];
            s[a] = strides[order[a]];
        }
        check(src, 0, total, n, s, row_major(n, rank), rank);
    } while (std::next_permutation(order.begin(), order.end()));
}

}  // namespace

using elements = boost::mpl::list<float, double, std::int32_t, std::int64_t, std::uint8_t>;

BOOST_AUTO_TEST_CASE_TEMPLATE(permutations, T, elements) {
    check_permutations<T>({});
    check_permutations<T>({0, 3});
    check_permutations<T>({17});
    check_permutations<T>({65, 33});
    check_permutations<T>({3, 5, 7});
    check_permutations<T>({2, 16, 1, 48});
    check_permutations<T>({4, 21, 3, 18});
    check_permutations<T>({150, 7, 130});
}

BOOST_AUTO_TEST_CASE(large_transposes) {
    check_permutations<float>({513, 700});
    check_permutations<double>({300, 300});
    check_permutations<float>({12, 64, 4, 32});
    check_permutations<std::uint8_t>({1000, 300});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(broadcasts, T, elements) {
    const auto src = counted<T>(400);
    check(src, 0, 5 * 40, {5, 40}, {0, 1}, {40, 1}, 2);
    check(src, 0, 40 * 5, {40, 5}, {1, 0}, {5, 1}, 2);
    check(src, 7, 6 * 300, {6, 300}, {0, 0}, {300, 1}, 2);
    check(src, 0, 300 * 400, {300, 400}, {0, 1}, {400, 1}, 2);
    check(src, 0, 400 * 300, {400, 300}, {1, 0}, {300, 1}, 2);
    check(src, 0, 2 * 3 * 4 * 5 * 6, {2, 3, 4, 5, 6}, {0, 6, 0, 18, 1}, {360, 120, 30, 6, 1}, 5);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(slices_and_backward, T, elements) {
    const auto src = counted<T>(50 * 60);
    check(src, 61, 40 * 57, {40, 57}, {60, 1}, {57, 1}, 2);        // a window
    check(src, 0, 50 * 200, {50, 60}, {60, 1}, {200, 1}, 2);       // into a wider target
    check(src, 49 * 60, 50 * 60, {50, 60}, {-60, 1}, {60, 1}, 2);  // rows reversed
    check(src, 59, 50 * 60, {50, 60}, {60, -1}, {60, 1}, 2);       // columns reversed
    check(src, 0, 25 * 20, {25, 20}, {120, 3}, {20, 1}, 2);        // every second row, third column
    check(src, 0, 50 * 60 * 2, {50, 60}, {60, 1}, {120, 2}, 2);    // interleaved
    check(src, 0, 2 * 3 * 2 * 2 * 2 * 2 * 2 * 3, {2, 3, 2, 2, 2, 2, 2, 3}, {288, 96, 48, 24, 12, 6, 3, 1},
          {1, 2, 6, 12, 24, 48, 96, 192}, 8);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(fills, T, elements) {
    for (std::size_t n : {0u, 1u, 15u, 16u, 64u, 65u, 1000u, 300001u}) {
        const auto got = on_any_threads([&] {
            std::vector<T> x(n + 1, T(1));
            kernel::fill(x.data(), n, T(7));
            return x;
        });
        BOOST_TEST(std::all_of(got.begin(), got.end() - 1, [](T v) { return v == T(7); }));
        BOOST_TEST(got.back() == T(1));
    }
}
