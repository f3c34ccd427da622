// SPDX-License-Identifier: MIT
// kernel: a vector times a stored matrix whose rows are the inputs, in bytes as in gemv_bytes.hpp: the codes of four
// rows side by side, eight or sixteen rows at a time, whose factors (the vector's numbers times the scales of their
// blocks) are rounded to 16 bits together. Sums over these rows are exact.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/block_scales.hpp>
#include <tenet/kernel/byte_planes.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/kernel/gemv_rows.hpp>
#include <tenet/simd/bytes.hpp>
#include <tenet/simd/compare.hpp>
#include <tenet/simd/lookup.hpp>

namespace tenet::kernel::detail {

/// A matrix of int8 or 4-bit codes as `vector_times_rows` reads one.
template <storage Format>
struct byte_rows {
    using batch = simd::batch<float>;
    static constexpr bool four_bit = is_four_bit(Format);
    static constexpr std::size_t registers = four_bit ? 8 : 4, strip = 16 * registers, bits = bits_of(Format),
                                 bytes = strip * bits / 8, most_blocks = most_columns / weight_block + 16;
    /// Rows at a time: twice as many halve what the sums cost beside the products, four times as many gain no more.
    static constexpr std::size_t together = four_bit ? 16 : 8, quads = together / 4;
    stored_matrix matrix;
    std::size_t first, stride;
    std::byte const* codes;
    row_scales scales;

    byte_rows(stored_matrix const& m, std::size_t begin, std::size_t columns)
        : matrix(m), first(begin), stride(columns), codes(m.record + begin * bits / 8), scales(m) {}

    std::size_t bytes_of(std::size_t columns) const { return columns * bits / 8; }
    TENET_INLINE std::byte const* address(std::size_t i, std::size_t j) const {
        return codes + (i * stride + j) * bits / 8;
    }
    static void columns_in_order(float* y, std::size_t n) {
        constexpr std::size_t codes = 8 / bits;  // of a byte
        for (; n >= strip; n -= strip, y += strip) {
            float lanes[strip];
            std::copy_n(y, strip, lanes);
            for (std::size_t s = 0; s < registers; ++s)
                for (std::size_t i = 0; i < 16; ++i)
                    y[codes * (i / 4 * 16 + s / codes * 4 + i % 4) + s % codes] = lanes[16 * s + i];
        }
    }

    /// The factors of `together` rows as planes, four rows a float's bits (which are spread over lanes at less cost
    /// than integers), for each block of 64 columns or for all; what one stands for, and the bits of the sums to begin
    /// with, for codes are shifted to be unsigned.
    struct factors {
        alignas(64) float high[quads][most_blocks], low[quads][most_blocks], start[most_blocks], scale[most_blocks];
    };

    /// Of `rows` rows from i on, `apart` rows apart.
    void prepare(float const* x, std::size_t i, std::size_t rows, std::size_t apart, std::size_t j, std::size_t n,
                 factors& f) const {
        const std::size_t blocks = four_bit ? n / weight_block : 1;
        alignas(64) float scale_of[together * most_blocks];
        if constexpr (four_bit) {
            for (std::size_t r = 0; r < rows; ++r)
                block_scales(matrix, (first + (i + r * apart) * stride + j) / weight_block, blocks,
                             scale_of + r * blocks);
        } else {
            for (std::size_t r = 0; r < rows; ++r) scale_of[r] = scales.of_row(first / stride + i + r * apart);
        }
        std::fill(scale_of + rows * blocks, scale_of + together * blocks + 16, 0.0f);
        const batch unit(1 / (largest_of_planes * product_scale(matrix.layout.format)));
        for (std::size_t b = 0; b < blocks; b += 16) {
            batch value[together], largest(0.0f), poison(0.0f);
            TENET_UNROLL
            for (std::size_t r = 0; r < together; ++r) {
                value[r] = batch::load_unaligned(scale_of + r * blocks + b) * batch(r < rows ? x[i + r * apart] : 0.0f);
                largest = simd::fast_max<float>(largest, simd::fast_max<float>(value[r], batch(0.0f) - value[r]));
                poison = simd::fma<float>(value[r], batch(0.0f), poison);
            }
            largest = simd::fast_max<float>(largest, batch(least_largest));
            const batch inverse = batch(largest_of_planes) / largest;
            const simd::bytes ones = simd::bytes{} + 1;
            simd::byte_sums of_high{}, of_low{};
            TENET_UNROLL
            for (std::size_t q = 0; q < quads; ++q) {
                simd::bytes high, low;
                simd::nearest_planes<float>(value + 4 * q, inverse, high, low);
                std::memcpy(f.high[q] + b, &high, sizeof high);
                std::memcpy(f.low[q] + b, &low, sizeof low);
                simd::dot_bytes(of_high, ones, high);
                simd::dot_bytes(of_low, ones, low);
            }
            const simd::byte_sums start = start_of_sums<Format>(of_high, of_low);
            std::memcpy(f.start + b, &start, sizeof start);
            simd::fma<float>(largest, unit, poison).store_aligned(f.scale + b);
        }
    }
};

/// `together` rows from i on, `apart` rows apart, or fewer: those that are missing have factors of zero.
template <storage Format>
[[gnu::flatten, gnu::noinline]] void add_byte_rows(byte_rows<Format> const& w, float const* x, std::size_t i,
                                                   std::size_t rows, std::size_t apart, std::size_t first,
                                                   std::size_t n, float* y) {
    using matrix = byte_rows<Format>;
    using batch = simd::batch<float>;
    constexpr std::size_t registers = matrix::registers, together = matrix::together, quads = matrix::quads;
    typename matrix::factors f;
    w.prepare(x, i, rows, apart, first, n, f);
    std::byte const* row[together];
    for (std::size_t r = 0; r < together; ++r) row[r] = w.address(i + std::min(r, rows - 1) * apart, first);
    table_planes const& tables = planes_of(w.matrix.layout.format);
    const simd::bytes table_high = simd::load_64_bytes(tables.high.data()),
                      table_low = simd::load_64_bytes(tables.low.data());
    std::size_t j = 0;
    for (; j + matrix::strip <= n; j += matrix::strip) {
        const std::size_t at = j * matrix::bits / 8, block = j / weight_block;
        static_assert(matrix::bytes == 64);
        TENET_UNROLL
        for (std::size_t r = 0; r < together; ++r) __builtin_prefetch(row[r] + at + one_of_streams_ahead);
        const auto of_block = [&](float const* of) __attribute__((always_inline)) {
            return matrix::four_bit ? simd::low_and_high<float>(of + block) : batch(of[0]);
        };
        simd::byte_sums high[registers], low[registers];
        TENET_UNROLL
        for (std::size_t c = 0; c < registers; ++c) {
            high[c] = simd::byte_sums{};
            low[c] = std::bit_cast<simd::byte_sums>(of_block(f.start).data);
        }
        TENET_UNROLL
        for (std::size_t q = 0; q < quads; ++q) {
            simd::bytes codes[4], columns[4];
            TENET_UNROLL
            for (std::size_t r = 0; r < 4; ++r) codes[r] = simd::load_64_bytes(row[4 * q + r] + at);
            simd::interleave_four(codes[0], codes[2], codes[1], codes[3], columns);  // as `nearest_planes` has them
            const simd::bytes x_high = simd::as_bytes<float>(of_block(f.high[q])),
                              x_low = simd::as_bytes<float>(of_block(f.low[q]));
            TENET_UNROLL
            for (std::size_t c = 0; c < 4; ++c) {
                if constexpr (matrix::four_bit) {
                    TENET_UNROLL
                    for (std::size_t half = 0; half < 2; ++half) {
                        const simd::bytes index = half == 0 ? simd::upper_nibbles(columns[c]) : columns[c],
                                          h = simd::lookup_bytes(table_high, index),
                                          l = simd::lookup_bytes(table_low, index);
                        simd::dot_bytes(high[2 * c + half], h, x_high);
                        simd::dot_bytes(low[2 * c + half], h, x_low);
                        simd::dot_bytes(low[2 * c + half], l, x_high);
                    }
                } else {
                    const simd::bytes shifted = columns[c] ^ byte_shift;
                    simd::dot_bytes(high[c], shifted, x_high);
                    simd::dot_bytes(low[c], shifted, x_low);
                }
            }
        }
        const batch scale = of_block(f.scale);
        TENET_UNROLL
        for (std::size_t c = 0; c < registers; ++c) {
            float* const to = y + j + 16 * c;
            simd::fma<float>(simd::to_floats(whole_numbers(high[c], low[c])), scale, batch::load_unaligned(to))
                .store_unaligned(to);
        }
    }
    if (j == n) return;
    alignas(64) float rest[matrix::strip];
    for (std::size_t r = 0; r < rows; ++r) {
        dequantize_run(w.matrix, w.first + (i + r * apart) * w.stride + first + j, n - j, rest);
        for (std::size_t c = 0; c < n - j; ++c) y[j + c] += x[i + r * apart] * rest[c];
    }
}

/// As of other matrices.
template <storage Format>
void sum_of_run(byte_rows<Format> const& w, float const* x, std::size_t begin, std::size_t end, std::size_t first,
                std::size_t n, float* y) {
    constexpr std::size_t together = byte_rows<Format>::together;
    std::fill(y, y + n, 0.0f);
    const std::size_t apart = (end - begin) / together, rest = begin + together * apart;
    for (std::size_t i = begin; i < begin + apart; ++i) add_byte_rows(w, x, i, together, apart, first, n, y);
    if (rest < end) add_byte_rows(w, x, rest, end - rest, 1, first, n, y);
}

/// run(matrix) with a matrix of rows of `n` numbers that multiplies bytes, if there is one for this machine and format.
/// Returns whether it did.
template <class Run>
bool rows_by_bytes(stored_matrix const& w, std::size_t first, std::size_t n, Run const& run) {
    if constexpr (simd::has_byte_tables) {
        if (w.layout.format == storage::int8) return run(byte_rows<storage::int8>(w, first, n)), true;
        if (is_four_bit(w.layout.format)) return run(byte_rows<storage::nf4>(w, first, n)), true;
    }
    return false;
}

}  // namespace tenet::kernel::detail
