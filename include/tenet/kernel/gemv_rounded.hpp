// SPDX-License-Identifier: MIT
// kernel: a matrix of int8 numbers times a vector that is rounded to bytes too: products of bytes, four to a lane where
// the processor has AVX512_VNNI.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <tenet/kernel/dequantize.hpp>
#include <tenet/kernel/gemv_columns.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/simd/int8.hpp>

namespace tenet::kernel {

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
