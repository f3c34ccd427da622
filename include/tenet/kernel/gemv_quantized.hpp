// SPDX-License-Identifier: MIT
// kernel: a stored matrix times a vector, as in the generation of text, where all time goes into reading the matrix:
// one sequential stream of it, prefetched, turned into numbers in registers. What can be prepared is prepared once, on
// the vector: its numbers are laid out in the order in which codes come out of their bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/kernel/gemv_bytes.hpp>
#include <tenet/kernel/gemv_columns.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/simd/bf16.hpp>
#include <tenet/simd/int8.hpp>
#include <tenet/simd/lookup.hpp>

namespace tenet::kernel {
namespace detail {

/// Numbers that are looked up at a time: lane i of register s of a step holds number 8 i + s.
inline constexpr std::size_t codes_a_step = 128;

/// x in the order in which a row's numbers come: what `stored_dots` reads. `copy` holds `k` numbers.
inline void arrange_for(storage format, float const* x, std::size_t k, float* copy) {
    constexpr std::size_t width = simd::width<float>;
    std::size_t done = 0;
    if (format == storage::bfloat16) {
        for (; done + 2 * width <= k; done += 2 * width)
            for (std::size_t i = 0; i < width; ++i) {
                copy[done + i] = x[done + 2 * i];
                copy[done + width + i] = x[done + 2 * i + 1];
            }
    } else if (is_four_bit(format) && simd::has_lookup) {
        for (; done + codes_a_step <= k; done += codes_a_step)
            for (std::size_t s = 0; s < 8; ++s)
                for (std::size_t i = 0; i < 16; ++i) copy[done + 16 * s + i] = x[done + 8 * i + s];
    }
    std::copy(x + done, x + k, copy + done);
}

/// Rows of `columns` stored numbers from number `first` on, of which [skipped, skipped + k) are taken; `x` is the
/// vector as it is, `arranged` as `arrange_for` leaves it. `Format` is plain where rows are not as the format likes
/// them.
template <storage Format>
struct stored_dots {
    using batch = simd::batch<float>;
    static constexpr std::size_t width = simd::width<float>;
    stored_matrix matrix;
    std::size_t first, columns;
    float const *x, *arranged;
    row_scales scales;
    batch table = batch(0.0f);

    stored_dots(stored_matrix const& m, std::size_t begin, std::size_t stride, float const* plain, float const* sorted)
        : matrix(m), first(begin), columns(stride), x(plain), arranged(sorted), scales(m) {
        if constexpr (is_four_bit(Format)) table = batch::load_unaligned(codes_of(m.layout.format).data());
    }

    /// Lanes whose sum is x . (row j).
    TENET_INLINE batch row(std::size_t j, std::size_t k) const {
        const std::size_t at = first + j * columns;
        if constexpr (Format == storage::bfloat16) {
            return of_bfloat16(matrix.record + 2 * at, k);
        } else if constexpr (Format == storage::int8) {
            return of_int8(reinterpret_cast<std::int8_t const*>(matrix.record) + at, k) *
                   batch(scales.of_row(at / matrix.layout.columns));
        } else if constexpr (is_four_bit(Format)) {
            return of_four_bit(at, k);
        } else {
            return of_any(at, 0, k, batch(0.0f));
        }
    }

private:
    TENET_INLINE batch of_bfloat16(std::byte const* from, std::size_t k) const {
        batch sum[4] = {batch(0.0f), batch(0.0f), batch(0.0f), batch(0.0f)};
        const auto add = [&](std::size_t i, batch& even, batch& odd) __attribute__((always_inline)) {
            __builtin_prefetch(from + 2 * i + stream_ahead);
            simd::bf16_pairs pairs;
            std::memcpy(&pairs, from + 2 * i, sizeof pairs);
            even = simd::fma<float>(simd::low_of(pairs), batch::load_unaligned(arranged + i), even);
            odd = simd::fma<float>(simd::high_of(pairs), batch::load_unaligned(arranged + i + width), odd);
        };
        std::size_t i = 0;
        for (; i + 4 * width <= k; i += 4 * width) {
            add(i, sum[0], sum[1]);
            add(i + 2 * width, sum[2], sum[3]);
        }
        if (i + 2 * width <= k) {
            add(i, sum[0], sum[1]);
            i += 2 * width;
        }
        if (i < k) {
            alignas(64) float w[2 * width] = {}, y[2 * width] = {};
            for (std::size_t c = 0; c < k - i; ++c) {
                bfloat16 number;
                std::memcpy(&number, from + 2 * (i + c), sizeof number);
                w[c] = number;
                y[c] = arranged[i + c];
            }
            for (std::size_t c = 0; c < 2; ++c)
                sum[2 + c] = simd::fma<float>(batch::load_aligned(w + c * width), batch::load_aligned(y + c * width),
                                              sum[2 + c]);
        }
        return (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }

    TENET_INLINE batch of_int8(std::int8_t const* from, std::size_t k) const {
        batch sum[4] = {batch(0.0f), batch(0.0f), batch(0.0f), batch(0.0f)};
        std::size_t i = 0;
        for (; i + 4 * width <= k; i += 4 * width) {
            __builtin_prefetch(from + i + stream_ahead);
            TENET_UNROLL
            for (std::size_t c = 0; c < 4; ++c)
                sum[c] = simd::fma<float>(simd::load_bytes(from + i + c * width),
                                          batch::load_unaligned(arranged + i + c * width), sum[c]);
        }
        for (; i < k; i += width) {
            const std::size_t n = std::min(width, k - i);
            sum[0] = simd::fma<float>(simd::load_as_partial<float>(from + i, n),
                                      simd::load_partial<float>(arranged + i, n), sum[0]);
        }
        return (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }

    TENET_INLINE batch of_four_bit(std::size_t at, std::size_t k) const {
        batch total(0.0f);
        std::size_t i = 0;
        if constexpr (simd::has_lookup) {
            std::byte const* const from = matrix.record + at / 2;
            for (std::size_t block = at / weight_block; i + codes_a_step <= k; i += codes_a_step, block += 2) {
                __builtin_prefetch(from + i / 2 + stream_ahead);
                const simd::code_words codes = simd::load_codes(from + i / 2);
                batch sum[2] = {batch(0.0f), batch(0.0f)};
                TENET_UNROLL
                for (std::size_t s = 0; s < 8; ++s)
                    sum[s % 2] = simd::fma<float>(simd::lookup_nibbles<float>(table, codes, s),
                                                  batch::load_unaligned(arranged + i + 16 * s), sum[s % 2]);
                const batch scale = simd::low_and_high<float>(scales.of_block(block), scales.of_block(block + 1));
                total = simd::fma<float>(sum[0] + sum[1], scale, total);
            }
        }
        return i < k ? of_any(at, i, k, total) : total;
    }

    [[gnu::noinline]] batch of_any(std::size_t at, std::size_t begin, std::size_t k, batch sum) const {
        constexpr std::size_t chunk = 512;
        alignas(64) float w[chunk + 16];
        for (std::size_t done = begin; done < k; done += chunk) {
            const std::size_t n = std::min(chunk, k - done);
            dequantize_run(matrix, at + done, n, w);
            for (std::size_t i = 0; i < n; i += width) {
                const std::size_t count = std::min(width, n - i);
                sum = simd::fma<float>(simd::load_partial<float>(w + i, count),
                                       simd::load_partial<float>(x + done + i, count), sum);
            }
        }
        return sum;
    }
};

}  // namespace detail

/// y[j] = sum over i < k of w[j * k + i] x[i], or y[j] += ... if `accumulate`, for the n rows of k numbers of a stored
/// matrix that begin at number `first`: y = W x.
///
/// Sums are in float, their order the same for any number of threads, which share out rows. `y_stride` is in elements.
/// Numbers are what `dequantize` gives. But where the processor has AVX512_VNNI and k is a multiple of 128, products
/// with codes of 4 and 8 bits are of whole numbers: runs of 128 numbers of x are rounded to 16 bits (2^-16 of the
/// largest), and so are the 16 numbers of NF4 (2^-16 of the block's largest): about 1e-5 of |W| |x|.
/// Cost: reading the codes once: the bandwidth of memory, or of 4 bits about 35 G numbers a second on a core. x of more
/// than 8192 numbers is taken in parts. PyTorch: torch.nn.functional.linear(x, w) of one row.
inline void gemv_quantized(stored_matrix const& w, std::size_t first, std::size_t n, std::size_t k, float const* x,
                           float* y, std::ptrdiff_t y_stride, bool accumulate) {
    constexpr std::size_t most = 8192;
    alignas(64) float arranged[most];
    for (std::size_t k0 = 0; k0 < k || k0 == 0; k0 += most) {
        const std::size_t kc = std::min(most, k - k0);
        detail::arrange_for(w.layout.format, x + k0, kc, arranged);
        const bool add = accumulate || k0 != 0;
        const auto run = [&](auto const& rows) {
            detail::dot_all_rows<float>(rows, n, kc, [&](std::size_t j, float sum) {
                float& to = y[static_cast<std::ptrdiff_t>(j) * y_stride];
                to = add ? to + sum : sum;
            });
        };
        if (detail::dots_by_bytes(w, first + k0, k, x + k0, kc, run)) continue;
        const storage format = w.layout.format;
        if (format == storage::bfloat16) {
            run(detail::stored_dots<storage::bfloat16>(w, first + k0, k, x + k0, arranged));
        } else if (format == storage::int8 && k == w.layout.columns && first % k == 0) {
            run(detail::stored_dots<storage::int8>(w, first + k0, k, x + k0, arranged));
        } else if (is_four_bit(format) && simd::has_lookup && first % weight_block == 0 && k % weight_block == 0) {
            run(detail::stored_dots<storage::nf4>(w, first + k0, k, x + k0, arranged));
        } else {
            run(detail::stored_dots<storage::plain>(w, first + k0, k, x + k0, arranged));
        }
    }
}

}  // namespace tenet::kernel
