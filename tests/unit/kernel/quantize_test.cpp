// SPDX-License-Identifier: MIT
// Stored weights: code tables and thresholds, records against plain loops, products of both directions, rows by index.
#include "kernel_test.hpp"

#include <cstring>

#include <tenet/kernel/block_scales.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/kernel/dynamic_map.hpp>
#include <tenet/kernel/gemm_quantized.hpp>
#include <tenet/kernel/nf4.hpp>
#include <tenet/kernel/quantize.hpp>

using namespace tenet;
using namespace kernel_test;

namespace {

constexpr storage formats[] = {storage::bfloat16, storage::int8, storage::fp4, storage::nf4};

std::vector<std::byte> record_of(kernel::storage_layout const& layout, std::vector<float> const& w) {
    std::vector<std::byte> record(layout.bytes());
    kernel::quantize(layout, w.data(), record.data());
    return record;
}

// The definition, one number at a time.
std::vector<float> stored_and_read(kernel::storage_layout const& l, std::vector<float> const& w) {
    std::vector<float> out(w.size());
    if (l.format == storage::bfloat16) {
        for (std::size_t i = 0; i < w.size(); ++i) {
            // Of the two neighbours with 16 bits the nearer one; half-way, the even one.
            std::uint32_t bits;
            std::memcpy(&bits, &w[i], 4);
            float low, high;
            const std::uint32_t down = bits & 0xffff0000u, up = down + 0x10000u;
            std::memcpy(&low, &down, 4);
            std::memcpy(&high, &up, 4);
            const double a = std::abs(double{w[i]} - double{low}), b = std::abs(double{high} - double{w[i]});
            out[i] = a < b || (a == b && (down >> 16) % 2 == 0) ? low : high;
        }
        return out;
    }
    if (l.format == storage::int8) {
        for (std::size_t r = 0; r < w.size() / l.columns; ++r) {
            float most = 0;
            for (std::size_t c = 0; c < l.columns; ++c) most = std::max(most, std::abs(w[r * l.columns + c]));
            for (std::size_t c = 0; c < l.columns; ++c) {
                const float x = w[r * l.columns + c] / (most / 127);
                out[r * l.columns + c] = std::nearbyint(x) * (most / 127);
            }
        }
        return out;
    }
    auto const& codes = l.format == storage::nf4 ? kernel::nf4_codes : kernel::fp4_codes;
    std::vector<double> scales;
    for (std::size_t b = 0; b < w.size(); b += 64) {
        float most = 0;
        for (std::size_t i = b; i < std::min(w.size(), b + 64); ++i) most = std::max(most, std::abs(w[i]));
        scales.push_back(double{most});
    }
    double mean = 0;
    for (double s : scales) mean += s;
    mean /= static_cast<double>(scales.size());
    const auto offset = double{static_cast<float>(mean)};
    for (std::size_t s = 0; s < scales.size(); s += 256) {
        double most = 0;
        const std::size_t end = std::min(scales.size(), s + 256);
        for (std::size_t b = s; b < end; ++b) most = std::max(most, std::abs(scales[b] - offset));
        for (std::size_t b = s; b < end; ++b) {
            double best = 2;
            for (float code : kernel::signed_dynamic_map)
                if (std::abs((scales[b] - offset) - double{code} * most) < std::abs((scales[b] - offset) - best * most))
                    best = double{code};
            const double read = best * most + offset;
            for (std::size_t i = 64 * b; i < std::min(w.size(), 64 * b + 64); ++i) {
                double nearest = 2;
                for (float code : codes)
                    if (std::abs(double{w[i]} - double{code} * scales[b]) <
                        std::abs(double{w[i]} - nearest * scales[b]))
                        nearest = double{code};
                out[i] = static_cast<float>(nearest * read);
            }
        }
    }
    return out;
}

}  // namespace

// 4 bits, 8 for each 64, 32 for each 64 * 256 weights, and 32 once.
static_assert(kernel::storage_layout{storage::nf4, 768 * 3072, 3072}.bits_per_weight() < 4.127);
static_assert(kernel::storage_layout{storage::nf4, 768 * 3072, 3072}.bits_per_weight() > 4 + 8.0 / 64);
static_assert(kernel::storage_layout{storage::fp4, 768 * 768, 768}.bytes() == 768 * 768 / 2 + 9216 + 4 * 36 + 4);
static_assert(kernel::storage_layout{storage::int8, 100 * 64, 64}.bits_per_weight() == 8.5);
static_assert(kernel::storage_layout{storage::bfloat16, 100, 10}.bytes() == 200);

BOOST_AUTO_TEST_CASE(codes_are_nearest) {
    // Between two codes everything goes to the nearer, up to the last float.
    for (std::size_t i = 0; i + 1 < 16; ++i) {
        const float low = kernel::nf4_codes[i], high = kernel::nf4_codes[i + 1];
        BOOST_TEST(kernel::nf4_code(low) == i);
        BOOST_TEST(kernel::nf4_code(0.51f * low + 0.49f * high) == i);
        const auto middle = static_cast<float>((double{low} + double{high}) / 2);
        BOOST_TEST(kernel::nf4_code(std::nextafter(middle, -2.0f)) == i);
        BOOST_TEST(kernel::nf4_code(std::nextafter(std::nextafter(middle, 2.0f), 2.0f)) == i + 1);
        BOOST_TEST(kernel::nf4_code(0.49f * low + 0.51f * high) == i + 1);
    }
    BOOST_TEST(kernel::nf4_code(1.0f) == 15);
    for (std::size_t i = 0; i < 16; ++i) {
        if (i != 8) BOOST_TEST(kernel::fp4_code(kernel::fp4_codes[i]) == i);
        for (std::size_t j = 0; j < 8; ++j) {
            const float x = kernel::fp4_codes[j] * 0.93f;
            BOOST_TEST(std::abs(kernel::fp4_codes[kernel::fp4_code(x)] - x) <= std::abs(kernel::fp4_codes[i] - x));
        }
    }
}

BOOST_AUTO_TEST_CASE(dynamic_maps) {
    for (auto const* map : {&kernel::signed_dynamic_map, &kernel::unsigned_dynamic_map}) {
        BOOST_TEST(std::is_sorted(map->begin(), map->end()));
        BOOST_TEST((*map)[255] == 1);
        for (std::size_t i = 0; i < 256; ++i) BOOST_TEST(kernel::nearest_code(*map, (*map)[i]) == i);
        for (float x : random_vector<float>(2000, 3)) {
            if (map == &kernel::unsigned_dynamic_map) x = std::abs(x);
            for (float scale : {1.0f, 1e-2f, 1e-4f, 1e-6f}) {
                float nearest = 2;
                for (float v : *map)
                    if (std::abs(double{v} - double{x * scale}) < std::abs(double{nearest} - double{x * scale}))
                        nearest = v;
                BOOST_TEST((*map)[kernel::nearest_code(*map, x * scale)] == nearest);
            }
        }
    }
    // The largest values: means of the 64 or 128 parts of [0.1, 1].
    BOOST_TEST(kernel::signed_dynamic_map[254] == 1 - 0.45f / 64, boost::test_tools::tolerance(1e-6f));
    BOOST_TEST(kernel::unsigned_dynamic_map[254] == 1 - 0.45f / 128, boost::test_tools::tolerance(1e-6f));
    BOOST_TEST(kernel::signed_dynamic_map[127] == 0);
    BOOST_TEST(kernel::signed_dynamic_map[128] == 5.5e-7f, boost::test_tools::tolerance(1e-6f));
    BOOST_TEST(kernel::unsigned_dynamic_map[1] == 3.25e-7f, boost::test_tools::tolerance(1e-6f));
}

BOOST_AUTO_TEST_CASE(records_hold_what_they_are_defined_to) {
    for (storage f : formats)
        for (std::size_t rows : {1u, 3u, 70u, 300u})
            for (std::size_t columns : {1u, 7u, 64u, 100u}) {
                auto w = random_vector<float>(rows * columns, static_cast<unsigned>(rows + columns));
                for (std::size_t i = 0; i < w.size(); ++i) w[i] *= 0.1f + static_cast<float>(i / 64 % 5);
                const kernel::storage_layout l{f, w.size(), columns};
                const auto record = record_of(l, w);
                std::vector<float> got(w.size());
                kernel::dequantize(kernel::stored_matrix{l, record.data()}, got.data());
                BOOST_TEST(largest_error(got, widened(stored_and_read(l, w)), 1e-3) < 2e-6,
                           name_of(f) << " " << rows << " x " << columns);
            }
}

BOOST_AUTO_TEST_CASE(any_run_of_a_record) {
    const auto w = random_vector<float>(1777, 5);
    for (storage f : formats) {
        const kernel::storage_layout l{f, w.size(), 1777 / 7};
        const auto record = record_of(l, w);
        const kernel::stored_matrix m{l, record.data()};
        std::vector<float> all(w.size());
        std::vector<double> wide(w.size());
        kernel::dequantize(m, all.data());
        kernel::dequantize(m, wide.data());
        for (std::size_t i = 0; i < all.size(); ++i) BOOST_TEST(static_cast<float>(wide[i]) == all[i]);
        for (std::size_t first : {0u, 1u, 5u, 63u, 64u, 127u, 640u, 1000u})
            for (std::size_t count : {0u, 1u, 2u, 63u, 64u, 65u, 300u, 777u}) {
                std::vector<float> run(count + 1, 7.0f);
                kernel::dequantize_run(m, first, count, run.data());
                bool equal = run[count] == 7.0f;
                for (std::size_t i = 0; i < count; ++i) equal = equal && run[i] == all[first + i];
                BOOST_TEST(equal, name_of(f) << " " << first << " " << count);
            }
    }
}

BOOST_AUTO_TEST_CASE(blocks_of_zeros_and_extremes) {
    std::vector<float> w(256, 0.0f);
    w[200] = 3e-40f;
    for (storage f : formats) {
        const kernel::storage_layout l{f, w.size(), 64};
        const auto record = record_of(l, w);
        std::vector<float> got(w.size());
        kernel::dequantize(kernel::stored_matrix{l, record.data()}, got.data());
        for (float x : got) BOOST_TEST(std::abs(x) < 1e-38f);
    }
    // A NaN stays one where the storage has it.
    BOOST_TEST(kernel::bfloat16_bits(std::numeric_limits<float>::quiet_NaN()) == 0x7fc0);
    BOOST_TEST(kernel::bfloat16_bits(std::numeric_limits<float>::infinity()) == 0x7f80);
    BOOST_TEST(kernel::bfloat16_bits(1.00390625f) == 0x3f80);  // half-way: to even
    BOOST_TEST(kernel::bfloat16_bits(1.01171875f) == 0x3f82);
}

// Both ways round, strided and batched; the same bits as a product of the numbers, on any number of threads.
BOOST_AUTO_TEST_CASE_TEMPLATE(products, T, numbers) {
    struct sizes {
        std::size_t m, n, k;
    };
    for (storage f : formats)
        for (sizes s :
             {sizes{2, 1, 3}, {3, 70, 65}, {17, 129, 64}, {33, 200, 700}, {256, 640, 130}, {5, 0, 4}, {5, 3, 0}})
            for (bool transposed : {false, true})
                for (bool accumulate : {false, true}) {
                    const auto w = random_vector<float>(s.n * s.k, 1);
                    const auto a = random_vector<T>(s.m * s.k, 2), c = random_vector<T>(s.m * s.n, 3);
                    const std::size_t columns = transposed ? s.k : s.n;
                    const kernel::storage_layout l{f, w.size(), std::max<std::size_t>(columns, 1)};
                    const auto record = record_of(l, w);
                    const kernel::stored_matrix stored{l, record.data()};
                    std::vector<T> b(w.size());
                    kernel::dequantize(stored, b.data());
                    const auto stride = static_cast<std::ptrdiff_t>(columns);
                    const std::ptrdiff_t row = transposed ? 1 : stride, column = transposed ? stride : 1;
                    const auto pitch = static_cast<std::ptrdiff_t>(s.n);
                    const kernel::matrix_view<T const> left{a.data(), static_cast<std::ptrdiff_t>(s.k), 1};
                    std::vector<double> want(c.size());
                    for (std::size_t i = 0; i < s.m; ++i)
                        for (std::size_t j = 0; j < s.n; ++j) {
                            double sum = accumulate ? static_cast<double>(c[i * s.n + j]) : 0;
                            for (std::size_t k = 0; k < s.k; ++k)
                                sum += static_cast<double>(a[i * s.k + k]) *
                                       static_cast<double>(b[transposed ? j * s.k + k : k * s.n + j]);
                            want[i * s.n + j] = sum;
                        }
                    std::vector<T> numbers = c;
                    kernel::gemm<T>(s.m, s.n, s.k, left, {b.data(), row, column}, {numbers.data(), pitch, 1},
                                    accumulate);
                    std::vector<T> first;
                    for (int threads : {1, 2, 4}) {
                        std::vector<T> got = c;
                        with_threads(threads, [&] {
                            kernel::gemm_quantized<T>(s.m, s.n, s.k, left, kernel::stored_view{stored, 0, row, column},
                                                      {got.data(), pitch, 1}, accumulate);
                        });
                        BOOST_TEST(largest_error(got, want, 4) < 10 * tolerance<T>);
                        if (first.empty()) first = got;
                        BOOST_TEST((got == first));
                        // Small products of numbers have paths of their own.
                        if (s.m > 32 && s.n > 32)
                            BOOST_TEST((got == numbers), name_of(f) << " " << s.m << " " << s.n << " " << s.k);
                    }
                }
}

BOOST_AUTO_TEST_CASE(products_of_parts) {
    // Batches over the rows of b and over its columns, a result that lies transposed, an operand without a stride of 1.
    const std::size_t rows = 12, columns = 40, m = 9;
    const auto w = random_vector<float>(rows * columns, 4), a = random_vector<float>(m * rows, 5);
    for (storage f : formats) {
        const kernel::storage_layout l{f, w.size(), columns};
        const auto record = record_of(l, w);
        const kernel::stored_matrix stored{l, record.data()};
        std::vector<float> b(w.size());
        kernel::dequantize(stored, b.data());
        kernel::gemm_batch batch;
        batch.rank = 2;
        batch.count[0] = 4;  // groups of 10 columns, each its own product
        batch.b[0] = 10;
        batch.c[0] = 10;
        batch.count[1] = 3;  // of every third column
        batch.b[1] = 1;
        batch.c[1] = 1;
        std::vector<float> got(m * columns, -1.0f);
        // c lies [columns, m]; b's columns are 3 apart.
        batch.c[0] *= static_cast<std::ptrdiff_t>(m);
        batch.c[1] *= static_cast<std::ptrdiff_t>(m);
        kernel::gemm_quantized<float>(m, std::size_t{3}, rows, {a.data(), static_cast<std::ptrdiff_t>(rows), 1},
                                      kernel::stored_view{stored, 0, static_cast<std::ptrdiff_t>(columns), 3},
                                      {got.data(), 1, 3 * static_cast<std::ptrdiff_t>(m)}, false, batch);
        for (std::size_t j = 0; j < columns; ++j)
            for (std::size_t i = 0; i < m; ++i) {
                double sum = 0;
                for (std::size_t k = 0; k < rows; ++k) sum += double{a[i * rows + k]} * double{b[k * columns + j]};
                if (j % 10 == 9) BOOST_TEST(got[j * m + i] == -1.0f);
                else BOOST_TEST(std::abs(double{got[j * m + i]} - sum) < 1e-5);
            }
    }
}

BOOST_AUTO_TEST_CASE(epilogues) {
    // Over one block of k and over several; both directions of c; the bits of a product of the numbers.
    for (std::size_t k : {70u, 1100u})
        for (bool transposed : {false, true}) {
            const std::size_t m = 40, n = 200;
            const auto w = random_vector<float>(n * k, 1), a = random_vector<float>(m * k, 2);
            const auto rows = random_vector<float>(m, 3), columns = random_vector<float>(n, 4);
            const auto residual = random_vector<float>(m * n, 5), c = random_vector<float>(m * n, 6);
            const kernel::storage_layout l{storage::nf4, w.size(), n};
            const auto record = record_of(l, w);
            const kernel::stored_matrix stored{l, record.data()};
            std::vector<float> b(w.size()), kept(m * n), kept_too(m * n), got = c, want = c;
            kernel::dequantize(stored, b.data());
            const auto pitch = static_cast<std::ptrdiff_t>(n), depth = static_cast<std::ptrdiff_t>(k);
            const auto height = static_cast<std::ptrdiff_t>(m);
            const std::ptrdiff_t row = transposed ? 1 : pitch, column = transposed ? height : 1;
            kernel::epilogue<float> e;
            e.scale = 0.5f;
            e.row_bias = rows.data();
            e.column_bias = columns.data();
            e.f = kernel::activation::gelu;
            e.residual = residual.data();
            e.kept = kept.data();
            kernel::gemm<float>(m, n, k, {a.data(), depth, 1}, {b.data(), pitch, 1}, {want.data(), row, column}, true,
                                e);
            e.kept = kept_too.data();
            kernel::gemm_quantized<float>(m, n, k, {a.data(), depth, 1}, kernel::stored_view{stored, 0, pitch, 1},
                                          {got.data(), row, column}, true, e);
            BOOST_TEST(largest_error(got, widened(want)) < 1e-5);
            BOOST_TEST(largest_error(kept_too, widened(kept)) < 1e-5);
            BOOST_TEST(largest_error(got, widened(c)) > 0.1);
        }
}

BOOST_AUTO_TEST_CASE(rows_by_index) {
    const std::size_t rows = 50, width = 72;
    const auto w = random_vector<float>(rows * width, 6);
    const auto index = random_indices(333, 7, 50);
    for (storage f : formats) {
        const kernel::storage_layout l{f, w.size(), width};
        const auto record = record_of(l, w);
        const kernel::stored_matrix stored{l, record.data()};
        std::vector<float> all(w.size()), got(index.size() * width, 9.0f);
        kernel::dequantize(stored, all.data());
        BOOST_TEST(kernel::gather_quantized_rows(stored, index.data(), got.data(), index.size(), rows, width) == -1);
        bool equal = true;
        for (std::size_t i = 0; i < got.size(); ++i)
            equal = equal && got[i] == all[static_cast<std::size_t>(index[i / width]) * width + i % width];
        BOOST_TEST(equal);
        BOOST_TEST(
            kernel::gather_quantized_rows(stored, index.data(), got.data(), index.size(), std::size_t{10}, width) >= 0);
    }
}

BOOST_AUTO_TEST_CASE(the_same_bytes_on_any_number_of_threads) {
    const auto w = random_vector<float>(64 * 5000 + 17, 8);
    for (storage f : formats) {
        const kernel::storage_layout l{f, w.size(), 1000};
        const auto one = with_threads(1, [&] { return record_of(l, w); });
        BOOST_TEST((one == with_threads(4, [&] { return record_of(l, w); })));
    }
}

// As they are read for products of words: all 256 codes, over the ends of the scales' groups and of the record.
BOOST_AUTO_TEST_CASE_TEMPLATE(scales_of_many_blocks, T, numbers) {
    if constexpr (simd::has_lookup && std::is_same_v<T, float>) {
        const kernel::storage_layout layout{storage::nf4, 700 * kernel::weight_block, 128};
        std::vector<std::byte> record(layout.bytes());
        for (std::size_t i = 0; i < layout.blocks(); ++i) record[layout.scale_codes_at() + i] = std::byte(i % 256);
        const T floats[] = {2, 1, 0.5f, 0.25f};  // three factors and the offset
        std::memcpy(record.data() + layout.floats_at(), floats, sizeof floats);
        const kernel::stored_matrix w{layout, record.data()};
        for (const auto& [first, n] : {std::pair<std::size_t, std::size_t>{0, 700}, {7, 1}, {250, 12}, {511, 189}}) {
            std::vector<T> scales(n + 16);
            kernel::detail::block_scales<T>(w, first, n, scales.data());
            for (std::size_t i = 0; i < n; ++i) {
                const T number = kernel::signed_dynamic_map[(first + i) % 256] * w.scale((first + i) / 256);
                BOOST_TEST(std::fabs(scales[i] - w.block_scale(first + i)) <= 2e-6f * std::fabs(number) + 1e-7f);
            }
        }
    }
}
