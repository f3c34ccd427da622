// SPDX-License-Identifier: MIT
// kernel: a vector times a stored matrix whose rows are the inputs, as GPT-2's files have them: the stream of
// gemv_rows.hpp, whose numbers are made of codes in registers. Where a lookup gives them out of order the sums are kept
// in that order too, and sorted once at the end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/kernel/gemv_byte_rows.hpp>
#include <tenet/kernel/gemv_rows.hpp>
#include <tenet/simd/int8.hpp>
#include <tenet/simd/lookup.hpp>

namespace tenet::kernel {
namespace detail {

/// A stored matrix of `stride` columns from number `first` on; `Format` is one of the three ways of storing codes.
template <storage Format>
struct stored_rows {
    using batch = simd::batch<float>;
    static constexpr bool four_bit = is_four_bit(Format);
    static constexpr std::size_t width = simd::width<float>, registers = four_bit ? 8 : 4, strip = registers * width,
                                 bits = bits_of(Format), bytes = strip * bits / 8;
    stored_matrix matrix;
    std::size_t first, stride, first_row, first_block;
    std::byte const* codes;
    row_scales scales;
    batch table;

    stored_rows(stored_matrix const& m, std::size_t begin, std::size_t columns)
        : matrix(m),
          first(begin),
          stride(columns),
          first_row(begin / columns),
          first_block(begin / weight_block),
          codes(m.record + begin * bits / 8),
          scales(m),
          table(0.0f) {
        if constexpr (four_bit) table = batch::load_unaligned(codes_of(m.layout.format).data());
    }

    std::size_t bytes_of(std::size_t columns) const { return columns * bits / 8; }
    TENET_INLINE std::byte const* address(std::size_t i, std::size_t j) const {
        return codes + (i * stride + j) * bits / 8;
    }
    TENET_INLINE void add(batch (&sum)[registers], float x, std::size_t i, std::size_t j) const {
        std::byte const* const from = address(i, j);
        if constexpr (Format == storage::bfloat16) {
            const batch factor(x);
            TENET_UNROLL
            for (std::size_t c = 0; c < registers; ++c)
                sum[c] = simd::fma<float>(
                    simd::load_bfloat16<float>(reinterpret_cast<std::uint16_t const*>(from) + c * width), factor,
                    sum[c]);
        } else if constexpr (Format == storage::int8) {
            const batch factor(x * scales.of_row(first_row + i));
            TENET_UNROLL
            for (std::size_t c = 0; c < registers; ++c)
                sum[c] = simd::fma<float>(simd::load_bytes(reinterpret_cast<std::int8_t const*>(from) + c * width),
                                          factor, sum[c]);
        } else if constexpr (simd::has_lookup) {
            const std::size_t block = first_block + i * (stride / weight_block) + j / weight_block;
            const batch factor = simd::low_and_high<float>(x * scales.of_block(block), x * scales.of_block(block + 1));
            const simd::code_words words = simd::load_codes(from);
            TENET_UNROLL
            for (std::size_t c = 0; c < registers; ++c)
                sum[c] = simd::fma<float>(simd::lookup_nibbles<float>(table, words, c), factor, sum[c]);
        }
    }
    void add_rest(float* y, float x, std::size_t i, std::size_t j, std::size_t n) const {
        alignas(64) float w[strip];
        dequantize_run(matrix, first + i * stride + j, n, w);
        for (std::size_t c = 0; c < n; ++c) y[c] += x * w[c];
    }
    static void columns_in_order(float* y, std::size_t n) {
        if constexpr (four_bit)
            for (; n >= strip; n -= strip, y += strip) {
                float lanes[strip];
                std::copy_n(y, strip, lanes);
                for (std::size_t i = 0; i < width; ++i)
                    for (std::size_t s = 0; s < 8; ++s) y[8 * i + s] = lanes[width * s + i];
            }
    }
};

}  // namespace detail

/// Whether `gemv_quantized_rows` takes the matrix [k, n] that begins at number `first`: n is a multiple of 64, int8
/// rows are whole, and 4-bit codes begin a block on a machine that looks codes up in registers.
inline bool has_stored_rows(stored_matrix const& w, std::size_t first, std::size_t n) {
    if (n % weight_block != 0) return false;
    if (w.layout.format == storage::int8) return n == w.layout.columns && first % n == 0;
    if (is_four_bit(w.layout.format)) return simd::has_lookup && first % weight_block == 0;
    return w.layout.format == storage::bfloat16;
}

/// y[j] = sum over i < k of x[i] w[i, j], or y[j] += ... if `accumulate`, for the k rows of n numbers of a stored
/// matrix that begin at number `first`: y = x W, `has_stored_rows` being true.
///
/// Sums are in float, in an order that depends on the sizes alone; numbers are what `dequantize` gives, but as in
/// `gemv_quantized` where the processor multiplies bytes. Cost: reading the codes once. PyTorch: x @ w of one row.
inline void gemv_quantized_rows(stored_matrix const& w, std::size_t first, std::size_t n, std::size_t k, float const* x,
                                float* y, bool accumulate) {
    const auto run = [&](auto const& matrix) { detail::vector_times_rows(matrix, x, k, n, y, accumulate); };
    if (detail::rows_by_bytes(w, first, n, run)) return;
    if (w.layout.format == storage::bfloat16) run(detail::stored_rows<storage::bfloat16>(w, first, n));
    else if (w.layout.format == storage::int8) run(detail::stored_rows<storage::int8>(w, first, n));
    else if constexpr (simd::has_lookup) run(detail::stored_rows<storage::nf4>(w, first, n));
}

}  // namespace tenet::kernel
