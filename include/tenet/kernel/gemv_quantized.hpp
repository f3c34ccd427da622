// SPDX-License-Identifier: MIT
// kernel: a stored matrix times a vector, as in the generation of text, where all time goes into reading the matrix:
// one sequential stream of it, prefetched, turned into numbers in registers. What can be prepared is prepared once, on
// the vector: its numbers are laid out in the order in which codes come out of their bytes.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/kernel/gemm_vector.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/simd/bf16.hpp>
#include <tenet/simd/int8.hpp>
#include <tenet/simd/reduce.hpp>

namespace tenet::kernel {
namespace detail {

/// Bytes ahead of what is read that are prefetched.
inline constexpr std::size_t stream_ahead = 4096;

/// Lane i of register s of a step holds number 8 i + order[s] of 128: nibble order[s] of the 32-bit word i.
inline constexpr std::size_t codes_a_step = 128;
inline constexpr unsigned nibble_shift[8] = {4, 0, 12, 8, 20, 16, 28, 24};

/// x in the order in which a row's numbers come: what `dot_stored` reads. `copy` holds `k` numbers.
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

/// The sum over i < k of what row `r` of k numbers stores times x; `arranged` is x as `arrange_for` leaves it.
[[gnu::noinline]] inline float dot_bfloat16(std::byte const* row, float const* x, std::size_t k) {
    using batch = simd::batch<float>;
    constexpr std::size_t width = simd::width<float>;
    batch sum[4] = {batch(0.0f), batch(0.0f), batch(0.0f), batch(0.0f)};
    std::size_t i = 0;
    const auto add = [&](std::size_t at, batch& even, batch& odd) __attribute__((always_inline)) {
        __builtin_prefetch(row + 2 * at + stream_ahead);
        simd::bf16_pairs pairs;
        std::memcpy(&pairs, row + 2 * at, sizeof pairs);
        even = simd::fma<float>(simd::low_of(pairs), batch::load_unaligned(x + at), even);
        odd = simd::fma<float>(simd::high_of(pairs), batch::load_unaligned(x + at + width), odd);
    };
    for (; i + 4 * width <= k; i += 4 * width) {
        add(i, sum[0], sum[1]);
        add(i + 2 * width, sum[2], sum[3]);
    }
    if (i + 2 * width <= k) {
        add(i, sum[0], sum[1]);
        i += 2 * width;
    }
    float total = simd::reduce_add<float>((sum[0] + sum[1]) + (sum[2] + sum[3]));
    for (; i < k; ++i) {
        bfloat16 w;
        std::memcpy(&w, row + 2 * i, sizeof w);
        total += static_cast<float>(w) * x[i];
    }
    return total;
}

/// The same of signed bytes, without their scale.
[[gnu::noinline]] inline float dot_int8(std::int8_t const* row, float const* x, std::size_t k) {
    using batch = simd::batch<float>;
    constexpr std::size_t width = simd::width<float>;
    batch sum[4] = {batch(0.0f), batch(0.0f), batch(0.0f), batch(0.0f)};
    std::size_t i = 0;
    for (; i + 4 * width <= k; i += 4 * width) {
        __builtin_prefetch(row + i + stream_ahead);
        TENET_UNROLL
        for (std::size_t c = 0; c < 4; ++c)
            sum[c] = simd::fma<float>(simd::load_as<float>(row + i + c * width),
                                      batch::load_unaligned(x + i + c * width), sum[c]);
    }
    float total = simd::reduce_add<float>((sum[0] + sum[1]) + (sum[2] + sum[3]));
    for (; i < k; ++i) total += static_cast<float>(row[i]) * x[i];
    return total;
}

#if !defined(__clang__)
/// The same of whole steps of 128 4-bit codes, whose blocks' scales begin at block `block`.
[[gnu::noinline]] inline float dot_four_bit(stored_matrix const& m, std::size_t block, std::uint8_t const* row,
                                            float const* x, std::size_t k) {
    if constexpr (simd::has_lookup) {
        using batch = simd::batch<float>;
        using words = simd::detail::vector_of<std::uint32_t, 16>;
        using lanes = simd::detail::vector_of<float, 16>;
        lanes table;
        std::memcpy(&table, codes_of(m.layout.format).data(), sizeof table);
        batch total(0.0f);
        for (std::size_t i = 0; i < k; i += codes_a_step, block += 2) {
            __builtin_prefetch(row + i / 2 + stream_ahead);
            words codes;
            std::memcpy(&codes, row + i / 2, sizeof codes);
            batch sum[2] = {batch(0.0f), batch(0.0f)};
            TENET_UNROLL
            for (std::size_t s = 0; s < 8; ++s) {
                // The shuffle looks at the lowest four bits of an index only.
                const lanes w = __builtin_shuffle(table, words(codes >> nibble_shift[s]));
                sum[s % 2] = simd::fma<float>(simd::detail::from_vector<float>(w),
                                              batch::load_unaligned(x + i + 16 * s), sum[s % 2]);
            }
            const float low = m.block_scale(block), high = m.block_scale(block + 1);
            const lanes scale = {low,  low,  low,  low,  low,  low,  low,  low,
                                 high, high, high, high, high, high, high, high};
            total = simd::fma<float>(sum[0] + sum[1], simd::detail::from_vector<float>(scale), total);
        }
        return simd::reduce_add<float>(total);
    } else {
        return 0;
    }
}
#endif

/// The sum over i < k of number `first + i` of `m` times x[i]; the order of additions depends on k, on the format and
/// on whether whole blocks lie in the run.
inline float dot_stored(stored_matrix const& m, std::size_t first, float const* x, float const* arranged,
                        std::size_t k) {
    if (m.layout.format == storage::bfloat16) return dot_bfloat16(m.record + 2 * first, arranged, k);
    if (m.layout.format == storage::int8 && first % m.layout.columns + k <= m.layout.columns)
        return dot_int8(reinterpret_cast<std::int8_t const*>(m.record) + first, arranged, k) *
               m.row_scale(first / m.layout.columns);
    float total = 0;
    std::size_t done = 0;
#if !defined(__clang__)
    if (simd::has_lookup && is_four_bit(m.layout.format) && first % weight_block == 0) {
        done = k / codes_a_step * codes_a_step;
        if (done != 0)
            total = dot_four_bit(m, first / weight_block, reinterpret_cast<std::uint8_t const*>(m.record) + first / 2,
                                 arranged, done);
    }
#endif
    constexpr std::size_t chunk = 512;
    alignas(64) float w[chunk + 16];
    for (; done < k; done += chunk) {
        const std::size_t n = std::min(chunk, k - done);
        dequantize_run(m, first + done, n, w);
        total += dot_long(x + done, w, n);
    }
    return total;
}

}  // namespace detail

/// y[j] = sum over i < k of w[j * k + i] x[i], or y[j] += ... if `accumulate`, for the n rows of k numbers of a stored
/// matrix that begin at number `first`: y = W x.
///
/// Every number is what `dequantize` gives, and additions are in float, their order the same for any number of threads,
/// which share out rows. `y_stride` is in elements. Cost: reading the codes once; on one Zen 4 core about 15 G numbers
/// a second or the bandwidth of memory, whichever is less. x of more than 8192 numbers
/// is taken in parts. PyTorch: torch.nn.functional.linear(x, w) of one row.
inline void gemv_quantized(stored_matrix const& w, std::size_t first, std::size_t n, std::size_t k, float const* x,
                           float* y, std::ptrdiff_t y_stride, bool accumulate) {
    constexpr std::size_t most = 8192;
    alignas(64) float arranged[most];
    for (std::size_t k0 = 0; k0 < k || k0 == 0; k0 += most) {
        const std::size_t kc = std::min(most, k - k0);
        detail::arrange_for(w.layout.format, x + k0, kc, arranged);
        const std::size_t grain = std::max(std::size_t{1}, (std::size_t{1} << 17) / std::max(kc, std::size_t{1}));
        parallel_for(n, grain, [&](std::size_t begin, std::size_t end) {
            for (std::size_t j = begin; j < end; ++j) {
                const float sum = detail::dot_stored(w, first + j * k + k0, x + k0, arranged, kc);
                float& to = y[static_cast<std::ptrdiff_t>(j) * y_stride];
                to = accumulate || k0 != 0 ? to + sum : sum;
            }
        });
    }
}

/// y = W x as `gemv_quantized` for int8 weights whose rows are the matrix's own, with x rounded to bytes too: in runs
/// of 64 numbers round(127 x / s), s the largest |x| of the run. Products and the sums of a run are exact integers.
///
/// Error: about 0.3 % of |W| |x| from rounding x. Cost: the bandwidth of memory where the processor has AVX512_VNNI.
/// n rows from row `row` on; y is written, not added to. bitsandbytes: the int8 product of LLM.int8(), by runs.
inline void gemv_int8_rounded(stored_matrix const& w, std::size_t row, std::size_t n, float const* x, float* y) {
    constexpr std::size_t run = simd::dot_bytes_count, most = 8192;
    using sums = simd::byte_sums;
    using floats = simd::detail::vector_of<float, 16>;
    struct rounded {
        alignas(64) std::uint8_t bytes[most];  // x + 128
        float scale[most / run];
    };
    rounded r;
    alignas(64) static constexpr auto offset = [] {
        std::array<std::uint8_t, run> a{};
        for (auto& v : a) v = 128;
        return a;
    }();
    const std::size_t k = w.layout.columns;
    auto const* const codes = reinterpret_cast<std::int8_t const*>(w.record);
    for (std::size_t k0 = 0; k0 < k || k0 == 0; k0 += most) {
        const std::size_t kc = std::min(most, k - k0), runs = (kc + run - 1) / run;
        for (std::size_t b = 0; b < runs; ++b) {
            float largest = 0;
            for (std::size_t i = b * run; i < std::min(kc, (b + 1) * run); ++i)
                largest = std::max(largest, std::fabs(x[k0 + i]));
            r.scale[b] = largest / 127;
            const float inverse = largest > 0 ? 127 / largest : 0;
            for (std::size_t i = b * run; i < (b + 1) * run; ++i)
                r.bytes[i] = static_cast<std::uint8_t>(
                    128 + static_cast<int>(i < kc ? std::nearbyint(x[k0 + i] * inverse) : 0.0f));
        }
        const std::size_t grain = std::max(std::size_t{1}, (std::size_t{1} << 18) / std::max(kc, std::size_t{1}));
        parallel_for(n, grain, [&](std::size_t begin, std::size_t end) {
            for (std::size_t j = begin; j < end; ++j) {
                std::int8_t const* const from = codes + (row + j) * k + k0;
                floats total{};
                for (std::size_t b = 0; b < runs; ++b) {
                    alignas(64) std::int8_t last[run];
                    std::int8_t const* p = from + b * run;
                    __builtin_prefetch(p + detail::stream_ahead);
                    if ((b + 1) * run > kc) {  // nothing beyond the row is read
                        std::fill(last, last + run, std::int8_t{0});
                        std::copy(p, from + kc, last);
                        p = last;
                    }
                    sums product{}, shifted{};
                    simd::dot_bytes(product, r.bytes + b * run, p);
                    simd::dot_bytes(shifted, offset.data(), p);
                    total += __builtin_convertvector(product - shifted, floats) * r.scale[b];
                }
                float sum = 0;
                for (std::size_t half = 8; half != 0; half /= 2)
                    for (std::size_t i = 0; i < half; ++i) total[i] += total[i + half];
                sum = total[0] * w.row_scale(row + j);
                y[j] = k0 == 0 ? sum : y[j] + sum;
            }
        });
    }
}

}  // namespace tenet::kernel
