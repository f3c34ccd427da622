// SPDX-License-Identifier: MIT
// kernel: a vector times a stored matrix whose rows are the inputs, in words as in gemv_words.hpp: the codes of two
// rows side by side, eight rows at a time, whose factors (the vector's numbers times the scales of their blocks) are
// rounded to 16 bits together. Sums over the eight are exact.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/block_scales.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/kernel/gemv_rows.hpp>
#include <tenet/kernel/gemv_words.hpp>
#include <tenet/simd/compare.hpp>
#include <tenet/simd/lookup.hpp>
#include <tenet/simd/words.hpp>

namespace tenet::kernel::detail {

/// A matrix of int8 or 4-bit codes as `vector_times_rows` reads one.
template <storage Format>
struct word_rows {
    using batch = simd::batch<float>;
    static constexpr bool four_bit = is_four_bit(Format);
    static constexpr std::size_t registers = four_bit ? 8 : 4, strip = 16 * registers, bits = bits_of(Format),
                                 bytes = strip * bits / 8, most_blocks = most_columns / weight_block + 16;
    stored_matrix matrix;
    std::size_t first, stride;
    std::byte const* codes;
    row_scales scales;

    word_rows(stored_matrix const& m, std::size_t begin, std::size_t columns)
        : matrix(m), first(begin), stride(columns), codes(m.record + begin * bits / 8), scales(m) {}

    std::size_t bytes_of(std::size_t columns) const { return columns * bits / 8; }
    TENET_INLINE std::byte const* address(std::size_t i, std::size_t j) const {
        return codes + (i * stride + j) * bits / 8;
    }
    static void columns_in_order(float* y, std::size_t n) {
        constexpr std::size_t group = four_bit ? 8 : 4;
        for (; n >= strip; n -= strip, y += strip) {
            float lanes[strip];
            std::copy_n(y, strip, lanes);
            for (std::size_t i = 0; i < 16; ++i)
                for (std::size_t s = 0; s < group; ++s) y[group * i + s] = lanes[16 * s + i];
        }
    }

    /// Eight rows' factors as words, in pairs, for each block of 64 columns (or all): what they stand for, and for
    /// codes that are shifted to be positive the sums to begin with.
    struct factors {
        alignas(64) float pair[4][most_blocks];  // the bits of two words: floats are spread over lanes at less cost
        alignas(64) float scale[most_blocks];
        std::int32_t start;
    };

    void prepare(float const* x, std::size_t i, std::size_t rows, std::size_t j, std::size_t n, factors& f) const {
        const std::size_t blocks = four_bit ? n / weight_block : 1;
        alignas(64) float scale_of[rows_together * most_blocks];
        if constexpr (four_bit) {
            const std::size_t block = (first + i * stride + j) / weight_block;
            if (n == stride) {  // whole rows: their blocks follow one another
                block_scales(matrix, block, rows * blocks, scale_of);
            } else {
                for (std::size_t r = 0; r < rows; ++r)
                    block_scales(matrix, block + r * (stride / weight_block), blocks, scale_of + r * blocks);
            }
        } else {
            for (std::size_t r = 0; r < rows; ++r) scale_of[r] = scales.of_row(first / stride + i + r);
        }
        std::fill(scale_of + rows * blocks, scale_of + rows_together * blocks + 16, 0.0f);
        simd::word_sums sum{};
        const batch unit(1 / (four_bit ? largest_word * table_scale(matrix.layout.format) : largest_word));
        for (std::size_t b = 0; b < blocks; b += 16) {
            batch value[rows_together], largest(0.0f), poison(0.0f);
            TENET_UNROLL
            for (std::size_t r = 0; r < rows_together; ++r) {
                value[r] = batch::load_unaligned(scale_of + r * blocks + b) * batch(r < rows ? x[i + r] : 0.0f);
                largest = simd::fast_max<float>(largest, simd::fast_max<float>(value[r], batch(0.0f) - value[r]));
                poison = simd::fma<float>(value[r], batch(0.0f), poison);
            }
            largest = simd::fast_max<float>(largest, batch(least_largest));
            const batch inverse = batch(largest_word) / largest;
            TENET_UNROLL
            for (std::size_t p = 0; p < 4; ++p) {
                const simd::word_sums low = simd::nearest_integers<float>(value[2 * p], inverse),
                                      high = simd::nearest_integers<float>(value[2 * p + 1], inverse);
                const simd::word_sums pair = (high << 16) | (low & 0xffff);
                std::memcpy(f.pair[p] + b, &pair, sizeof pair);
                sum += low + high;
            }
            simd::fma<float>(largest, unit, poison).store_aligned(f.scale + b);
        }
        f.start = -128 * sum[0];
    }
};

/// Eight rows of a strip of columns, or fewer: those that are missing have factors of zero.
template <storage Format>
[[gnu::flatten, gnu::noinline]] void add_word_rows(word_rows<Format> const& w, float const* x, std::size_t i,
                                                   std::size_t rows, std::size_t first, std::size_t n, float* y,
                                                   row_prefetch& ahead) {
    using matrix = word_rows<Format>;
    using batch = simd::batch<float>;
    constexpr std::size_t registers = matrix::registers;
    typename matrix::factors f;
    w.prepare(x, i, rows, first, n, f);
    row_prefetch walk = ahead;
    std::byte const* row[rows_together];
    for (std::size_t r = 0; r < rows_together; ++r) row[r] = w.address(i + std::min(r, rows - 1), first);
    const simd::words table =
        simd::load_words(w.matrix.layout.format == storage::fp4 ? fp4_words.data() : nf4_words.data());
    std::size_t j = 0;
    for (; j + matrix::strip <= n; j += matrix::strip) {
        walk.template advance<rows_together * matrix::bytes>();
        const std::size_t at = j * matrix::bits / 8, block = j / weight_block;
        simd::word_sums sum[registers];
        TENET_UNROLL
        for (std::size_t c = 0; c < registers; ++c) sum[c] = simd::word_sums{} + (matrix::four_bit ? 0 : f.start);
        TENET_UNROLL
        for (std::size_t p = 0; p < 4; ++p) {
            const simd::words a = simd::load_words(row[2 * p] + at), b = simd::load_words(row[2 * p + 1] + at);
            // Words of both rows side by side: the first four codes (or two bytes) of each lane, and the others.
            const simd::words near = simd::lower_words(a, b), far = simd::upper_words(a, b);
            if constexpr (matrix::four_bit) {
                const simd::words factor =
                    simd::as_words<float>(simd::low_and_high<float>(f.pair[p][block], f.pair[p][block + 1]));
                TENET_UNROLL
                for (std::size_t s = 0; s < 4; ++s) {
                    simd::dot_words(sum[s], simd::lookup_words(table, simd::words(near >> code_shift[s])), factor);
                    simd::dot_words(sum[4 + s], simd::lookup_words(table, simd::words(far >> code_shift[s])), factor);
                }
            } else {
                const simd::words factor = simd::as_words<float>(batch(f.pair[p][0]));
                const simd::words low = (near ^ 0x8080), high = (far ^ 0x8080);
                simd::dot_words(sum[0], simd::words(low & 0xff), factor);
                simd::dot_words(sum[1], simd::words(low >> 8), factor);
                simd::dot_words(sum[2], simd::words(high & 0xff), factor);
                simd::dot_words(sum[3], simd::words(high >> 8), factor);
            }
        }
        const batch scale =
            matrix::four_bit ? simd::low_and_high<float>(f.scale[block], f.scale[block + 1]) : batch(f.scale[0]);
        TENET_UNROLL
        for (std::size_t c = 0; c < registers; ++c) {
            float* const to = y + j + 16 * c;
            simd::fma<float>(simd::to_floats(sum[c]), scale, batch::load_unaligned(to)).store_unaligned(to);
        }
    }
    ahead = walk;
    if (j == n) return;
    alignas(64) float rest[matrix::strip];
    for (std::size_t r = 0; r < rows; ++r) {
        dequantize_run(w.matrix, w.first + (i + r) * w.stride + first + j, n - j, rest);
        for (std::size_t c = 0; c < n - j; ++c) y[j + c] += x[i + r] * rest[c];
    }
}

/// As of other matrices.
template <storage Format>
void sum_of_run(word_rows<Format> const& w, float const* x, std::size_t begin, std::size_t end, std::size_t first,
                std::size_t n, float* y) {
    std::fill(y, y + n, 0.0f);
    row_prefetch ahead(w.address(begin, first), rows_together, w.bytes_of(n), w.bytes_of(w.stride));
    for (std::size_t i = begin; i < end; i += rows_together)
        add_word_rows(w, x, i, std::min(rows_together, end - i), first, n, y, ahead);
}

/// run(matrix) with a matrix of rows of `n` numbers that multiplies words, if there is one for this machine and format.
/// Returns whether it did.
template <class Run>
bool rows_by_words(stored_matrix const& w, std::size_t first, std::size_t n, Run const& run) {
    if constexpr (simd::has_word_dot) {
        if (w.layout.format == storage::int8) return run(word_rows<storage::int8>(w, first, n)), true;
        if (is_four_bit(w.layout.format)) return run(word_rows<storage::nf4>(w, first, n)), true;
    }
    return false;
}

}  // namespace tenet::kernel::detail
