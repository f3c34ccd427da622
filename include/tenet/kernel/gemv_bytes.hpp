// SPDX-License-Identifier: MIT
// kernel: stored matrices times a vector in integers, where the processor multiplies bytes: the vector is rounded to 16
// bits, int8 codes are multiplied as they are, 4-bit codes are looked up as 16 bits. What is lost is about 2^-16 of the
// largest number of a run of 128.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/block_scales.hpp>
#include <tenet/kernel/byte_planes.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/kernel/gemv_columns.hpp>
#include <tenet/simd/bytes.hpp>
#include <tenet/simd/lookup.hpp>

namespace tenet::kernel::detail {

/// A vector as planes, in the order in which rows of `Format` give their codes: of each run, what one stands for, and
/// the sums to begin with, for codes are shifted to be unsigned.
template <storage Format>
struct vector_planes {
    static constexpr std::size_t most = 8192, run = 128;
    alignas(64) std::int8_t high[most], low[most];
    alignas(64) std::int32_t start[most / run][16];
    float scale[most / run];

    /// Whole runs of x[0, k), for codes that stand for themselves or for multiples of 1 / `of_product`.
    vector_planes(float const* x, std::size_t k, float of_product) {
        for (std::size_t b = 0; (b + 1) * run <= k; ++b) {
            std::int8_t *const h = high + b * run, *const l = low + b * run;
            if constexpr (is_four_bit(Format)) {
                // The first code of a byte is its upper half.
                alignas(64) std::int8_t plain[2][run];
                scale[b] = round_to_planes<float>(x + b * run, plain[0], plain[1]) / of_product;
                for (std::size_t i = 0; i < run / 2; ++i) {
                    h[i] = plain[0][2 * i], h[run / 2 + i] = plain[0][2 * i + 1];
                    l[i] = plain[1][2 * i], l[run / 2 + i] = plain[1][2 * i + 1];
                }
            } else {
                scale[b] = round_to_planes<float>(x + b * run, h, l) / of_product;
            }
            const simd::bytes ones = simd::bytes{} + 1;
            simd::byte_sums of_high{}, of_low{};
            for (std::size_t i = 0; i < run; i += 64) {
                simd::dot_bytes(of_high, ones, simd::load_64_bytes(h + i));
                simd::dot_bytes(of_low, ones, simd::load_64_bytes(l + i));
            }
            const simd::byte_sums sums = start_of_sums<Format>(of_high, of_low);
            std::memcpy(start[b], &sums, sizeof sums);
        }
    }
};

// Templates, so that a machine that lacks products of bytes compiles none.

/// Rows as `stored_dots` has them, of int8 codes in whole runs.
template <class T = float>
struct byte_dots {
    using batch = simd::batch<T>;
    using vector = vector_planes<storage::int8>;
    stored_matrix matrix;
    std::size_t first, columns;
    vector const* x;
    row_scales scales;

    /// Lanes whose sum is x . (row j).
    TENET_INLINE batch row(std::size_t j, std::size_t k) const {
        const std::size_t at = first + j * columns;
        std::byte const* const from = matrix.record + at;
        batch total(0.0f);
        for (std::size_t i = 0; i < k; i += vector::run) {
            simd::byte_sums high{}, low{};
            std::memcpy(&low, x->start[i / vector::run], sizeof low);
            TENET_UNROLL
            for (std::size_t c = 0; c < vector::run; c += 64) {
                __builtin_prefetch(from + i + c + stream_ahead);
                const simd::bytes codes = simd::load_64_bytes(from + i + c) ^ byte_shift;
                simd::dot_bytes(high, codes, simd::load_64_bytes(x->high + i + c));
                simd::dot_bytes(low, codes, simd::load_64_bytes(x->low + i + c));
            }
            total =
                simd::fma<float>(simd::to_floats(whole_numbers(high, low)), batch(x->scale[i / vector::run]), total);
        }
        return total * batch(scales.of_row(at / matrix.layout.columns));
    }
};

/// Those of 4-bit codes.
template <class T = float>
struct nibble_dots {
    using batch = simd::batch<T>;
    using vector = vector_planes<storage::nf4>;
    stored_matrix matrix;
    std::size_t first, columns;
    vector const* x;

    /// The scales of some rows' blocks times those of the vector's runs: one by one they would cost as much as the
    /// products.
    struct preparation {
        static constexpr std::size_t most = simd::width<float> * (vector::most / weight_block + 16);
        alignas(64) float scales[most];
        std::size_t pitch;
    };
    TENET_INLINE void prepare(std::size_t j, std::size_t count, std::size_t k, preparation& p) const {
        const std::size_t block = (first + j * columns) / weight_block, blocks = k / weight_block;
        alignas(64) float of_blocks[preparation::most], of_runs[vector::most / weight_block + 16];
        const bool follow = k == columns;  // the rows' blocks follow one another
        for (std::size_t r = 0; r < (follow ? 1 : count); ++r)
            block_scales<float>(matrix, block + r * (columns / weight_block), follow ? count * blocks : blocks,
                                of_blocks + r * blocks);
        for (std::size_t b = 0; b < blocks; ++b) of_runs[b] = x->scale[b / 2];
        p.pitch = round_up(blocks, simd::width<float>);
        for (std::size_t r = 0; r < count; ++r)
            for (std::size_t b = 0; b < blocks; b += simd::width<float>)
                (batch::load_unaligned(of_blocks + r * blocks + b) * batch::load_aligned(of_runs + b))
                    .store_aligned(p.scales + r * p.pitch + b);
    }

    /// Lanes whose sum is x . (row j + r), of rows prepared from row j on.
    TENET_INLINE batch row(std::size_t j, std::size_t r, std::size_t k, preparation const& p) const {
        table_planes const& tables = planes_of(matrix.layout.format);
        const simd::bytes table_high = simd::load_64_bytes(tables.high.data()),
                          table_low = simd::load_64_bytes(tables.low.data());
        std::byte const* const from = matrix.record + (first + (j + r) * columns) / 2;
        float const* const scale = p.scales + r * p.pitch;
        batch total(0.0f);
        for (std::size_t i = 0; i < k; i += vector::run) {
            __builtin_prefetch(from + i / 2 + stream_ahead);
            const simd::bytes codes = simd::load_64_bytes(from + i / 2);
            simd::byte_sums high{}, low{};
            std::memcpy(&low, x->start[i / vector::run], sizeof low);
            TENET_UNROLL
            for (std::size_t half = 0; half < 2; ++half) {
                const simd::bytes index = half == 0 ? simd::upper_nibbles(codes) : codes,
                                  h = simd::lookup_bytes(table_high, index), l = simd::lookup_bytes(table_low, index),
                                  x_high = simd::load_64_bytes(x->high + i + 64 * half);
                simd::dot_bytes(high, h, x_high);
                simd::dot_bytes(low, h, simd::load_64_bytes(x->low + i + 64 * half));
                simd::dot_bytes(low, l, x_high);  // l times l is less than what rounding loses
            }
            total = simd::fma<float>(simd::to_floats(whole_numbers(high, low)),
                                     simd::low_and_high<float>(scale + i / weight_block), total);
        }
        return total;
    }
};

/// run(rows) with rows that multiply bytes, if there are such for this machine, format and length of rows: `k` numbers
/// of each, which begin at number `first` and lie `columns` apart. Returns whether it did.
template <class Run>
bool dots_by_bytes(stored_matrix const& w, std::size_t first, std::size_t columns, float const* x, std::size_t k,
                   Run const& run) {
    if constexpr (simd::has_byte_tables) {
        const storage format = w.layout.format;
        if (k % vector_planes<storage::int8>::run != 0) return false;
        if (format == storage::int8 && columns == w.layout.columns && first % columns + k <= columns) {
            const vector_planes<storage::int8> planes(x, k, product_scale(format));
            run(byte_dots<float>{w, first, columns, &planes, row_scales(w)});
            return true;
        }
        if (is_four_bit(format) && first % weight_block == 0 && columns % weight_block == 0) {
            const vector_planes<storage::nf4> planes(x, k, product_scale(format));
            run(nibble_dots<float>{w, first, columns, &planes});
            return true;
        }
    }
    return false;
}

}  // namespace tenet::kernel::detail
