// SPDX-License-Identifier: MIT
// kernel: stored matrices times a vector in integers, where the processor multiplies pairs of 16-bit words: codes
// become words by a lookup or as they are, the vector is rounded to 16 bits in runs of 128 numbers or of 8 rows, each
// with a scale of its own. Sums of a run are exact, so that what is lost is about 2^-16 of the largest number of the
// run.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/kernel/gemv_columns.hpp>
#include <tenet/simd/lookup.hpp>
#include <tenet/simd/words.hpp>

namespace tenet::kernel::detail {

/// The largest word of a rounded vector. Eight products with words of a table below 2^13 stay below 2^31.
inline constexpr float largest_word = 32767;

/// What the largest number of a run counts as, at least: its inverse is finite.
inline constexpr float least_largest = 1e-33f;

/// What one stands for among the words of a 4-bit format: NF4's numbers are nearest to whole multiples there, within
/// 3.7e-5 of the largest, and FP4's are whole.
constexpr float table_scale(storage format) {
    return format == storage::fp4 ? 8064.0f : 8004.95f;
}

/// The words of the 16 codes, twice.
constexpr std::array<std::int16_t, 32> word_table(storage format) {
    std::array<std::int16_t, 32> table{};
    for (std::size_t i = 0; i < 32; ++i) {
        const float x = codes_of(format)[i % 16] * table_scale(format);
        table[i] = static_cast<std::int16_t>(x < 0 ? x - 0.5f : x + 0.5f);
    }
    return table;
}
inline constexpr std::array<std::int16_t, 32> nf4_words = word_table(storage::nf4),
                                              fp4_words = word_table(storage::fp4);

/// The order in which the four codes of a word come: the first is in the high half of the low byte.
inline constexpr int code_shift[4] = {4, 0, 12, 8};

/// The words nearest to x[0, n) * largest_word / max |x|; returns what one of them stands for: NaN if an x is not
/// finite.
inline float round_to_words(float const* x, std::size_t n, std::int16_t* to) {
    float largest = least_largest, poison = 0;
    for (std::size_t i = 0; i < n; ++i) {
        largest = std::max(largest, std::fabs(x[i]));
        poison += x[i] * 0.0f;
    }
    const float inverse = poison == 0.0f ? largest_word / largest : 0;
    for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<std::int16_t>(std::nearbyint(x[i] * inverse));
    return largest / largest_word + poison;
}

/// A vector as words, in the order in which rows of `Format` give their codes, and what a word of each run stands for.
template <storage Format>
struct vector_words {
    static constexpr std::size_t most = 8192, run = 128;
    alignas(64) std::int16_t words[most];
    float scale[most / run];

    /// Whole runs of x[0, k), for codes that stand for themselves or for multiples of 1 / `of_table`.
    vector_words(float const* x, std::size_t k, float of_table) {
        for (std::size_t b = 0; (b + 1) * run <= k; ++b) {
            std::int16_t plain[run];
            std::int16_t* const to = words + b * run;
            scale[b] = round_to_words(x + b * run, run, is_four_bit(Format) ? plain : to);
            if constexpr (is_four_bit(Format)) {
                scale[b] /= of_table;
                for (std::size_t s = 0; s < 4; ++s)
                    for (std::size_t i = 0; i < 32; ++i) to[32 * s + i] = plain[4 * i + s];
            }
        }
    }
};

/// Rows as `stored_dots` has them, of int8 or 4-bit codes in whole runs.
template <storage Format>
struct word_dots {
    using batch = simd::batch<float>;
    static constexpr std::size_t run = vector_words<Format>::run;
    stored_matrix matrix;
    std::size_t first, columns;
    vector_words<Format> const* x;
    row_scales scales;

    /// Lanes whose sum is x . (row j).
    TENET_INLINE batch row(std::size_t j, std::size_t k) const {
        const std::size_t at = first + j * columns;
        batch total(0.0f);
        if constexpr (Format == storage::int8) {
            auto const* const from = reinterpret_cast<std::int8_t const*>(matrix.record) + at;
            for (std::size_t i = 0; i < k; i += run) {
                simd::word_sums sum[2] = {};
                __builtin_prefetch(from + i + stream_ahead);
                __builtin_prefetch(from + i + 64 + stream_ahead);
                TENET_UNROLL
                for (std::size_t c = 0; c < 4; ++c)
                    simd::dot_words(sum[c % 2], simd::widen_bytes(from + i + 32 * c),
                                    simd::load_words(x->words + i + 32 * c));
                total = simd::fma<float>(simd::to_floats(sum[0] + sum[1]), batch(x->scale[i / run]), total);
            }
            return total * batch(scales.of_row(at / matrix.layout.columns));
        } else {
            const simd::words table =
                simd::load_words(matrix.layout.format == storage::fp4 ? fp4_words.data() : nf4_words.data());
            std::byte const* const from = matrix.record + at / 2;
            for (std::size_t i = 0, block = at / weight_block; i < k; i += run, block += 2) {
                __builtin_prefetch(from + i / 2 + stream_ahead);
                const simd::words codes = simd::load_words(from + i / 2);
                simd::word_sums sum{};
                TENET_UNROLL
                for (std::size_t s = 0; s < 4; ++s)
                    simd::dot_words(sum, simd::lookup_words(table, simd::words(codes >> code_shift[s])),
                                    simd::load_words(x->words + i + 32 * s));
                const float unit = x->scale[i / run];
                const batch scale =
                    simd::low_and_high<float>(unit * scales.of_block(block), unit * scales.of_block(block + 1));
                total = simd::fma<float>(simd::to_floats(sum), scale, total);
            }
            return total;
        }
    }
};

/// run(rows) with rows that multiply words, if there are such for this machine, format and length of rows: `k` numbers
/// of each, which begin at number `first` and lie `columns` apart. Returns whether it did.
template <class Run>
bool dots_by_words(stored_matrix const& w, std::size_t first, std::size_t columns, float const* x, std::size_t k,
                   Run const& run) {
    if constexpr (simd::has_word_dot) {
        const storage format = w.layout.format;
        if (k % vector_words<storage::int8>::run != 0) return false;
        if (format == storage::int8 && columns == w.layout.columns && first % columns + k <= columns) {
            const vector_words<storage::int8> words(x, k, 1);
            run(word_dots<storage::int8>{w, first, columns, &words, row_scales(w)});
            return true;
        }
        if (is_four_bit(format) && first % weight_block == 0 && columns % weight_block == 0) {
            const vector_words<storage::nf4> words(x, k, table_scale(format));
            run(word_dots<storage::nf4>{w, first, columns, &words, row_scales(w)});
            return true;
        }
    }
    return false;
}

}  // namespace tenet::kernel::detail
