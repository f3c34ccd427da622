// SPDX-License-Identifier: MIT
// kernel: a vector times a stored matrix whose rows are the inputs, as GPT-2's files have them: four rows at a time are
// read as streams, turned into numbers in registers and added to the result, which stays in the L1 cache.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <tenet/base/macros.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/simd/lookup.hpp>

namespace tenet::kernel {
namespace detail {

/// y[j] += sum over r < Rows of factor(r, j / 64) * load(r, j) for j in [begin, end), whole blocks of 64.
template <std::size_t Rows, class Load, class Factor>
[[gnu::flatten]] inline void add_scaled_rows(float* y, std::size_t begin, std::size_t end, Load const& load,
                                             Factor const& factor) {
    using batch = simd::batch<float>;
    constexpr std::size_t width = simd::width<float>;
    for (std::size_t j = begin; j < end; j += weight_block) {
        batch f[Rows];
        for (std::size_t r = 0; r < Rows; ++r) f[r] = batch(factor(r, j / weight_block));
        TENET_UNROLL
        for (std::size_t c = 0; c < weight_block; c += width) {
            batch sum = batch::load_unaligned(y + j + c);
            for (std::size_t r = 0; r < Rows; ++r) sum = simd::fma<float>(load(r, j + c), f[r], sum);
            sum.store_unaligned(y + j + c);
        }
    }
}

/// Calls add_scaled_rows for all k rows; `row(i)` gives the pair of functions from row i on.
template <class Row>
[[gnu::flatten]] inline void add_all_rows(std::size_t k, float* y, std::size_t begin, std::size_t end, Row const& row) {
    std::size_t i = 0;
    for (; i + 4 <= k; i += 4) row(i, [&](auto const& l, auto const& f) { add_scaled_rows<4>(y, begin, end, l, f); });
    for (; i < k; ++i) row(i, [&](auto const& l, auto const& f) { add_scaled_rows<1>(y, begin, end, l, f); });
}

[[gnu::noinline]] inline void stored_rows_times(stored_matrix const& w, std::size_t first, std::size_t n, std::size_t k,
                                                float const* x, float* y, std::size_t begin, std::size_t end) {
    constexpr std::size_t ahead = 1024;
    if (w.layout.format == storage::int8) {
        auto const* const codes = reinterpret_cast<std::int8_t const*>(w.record) + first;
        const std::size_t row0 = first / w.layout.columns;
        add_all_rows(k, y, begin, end, [&](std::size_t i, auto const& add) {
            add([=](std::size_t r, std::size_t j) { return simd::load_as<float>(codes + (i + r) * n + j); },
                [=, &w](std::size_t r, std::size_t b) {
                    __builtin_prefetch(codes + (i + r) * n + b * weight_block + ahead);
                    return x[i + r] * w.row_scale(row0 + i + r);
                });
        });
    } else if (w.layout.format == storage::bfloat16) {
        std::byte const* const codes = w.record + 2 * first;
        add_all_rows(k, y, begin, end, [&](std::size_t i, auto const& add) {
            add(
                [=](std::size_t r, std::size_t j) {
                    alignas(64) std::uint16_t bits[simd::width<float>];
                    std::memcpy(bits, codes + 2 * ((i + r) * n + j), sizeof bits);
                    return simd::load_bfloat16<float>(bits);
                },
                [=](std::size_t r, std::size_t b) {
                    __builtin_prefetch(codes + 2 * ((i + r) * n + b * weight_block) + ahead);
                    return x[i + r];
                });
        });
    } else if constexpr (simd::has_lookup) {
        auto const* const codes = reinterpret_cast<std::uint8_t const*>(w.record) + first / 2;
        const auto table = simd::batch<float>::load_unaligned(codes_of(w.layout.format).data());
        const std::size_t block0 = first / weight_block;
        add_all_rows(k, y, begin, end, [&](std::size_t i, auto const& add) {
            add([=](std::size_t r,
                    std::size_t j) { return simd::lookup_codes<float>(table, codes + ((i + r) * n + j) / 2); },
                [=, &w](std::size_t r, std::size_t b) {
                    __builtin_prefetch(codes + ((i + r) * n + b * weight_block) / 2 + ahead);
                    return x[i + r] * w.block_scale(block0 + (i + r) * (n / weight_block) + b);
                });
        });
    }
}

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
/// Numbers are what `dequantize` gives; each sum is in float, in the order of i, for any number of threads, which share
/// out columns. Cost: reading the codes once. PyTorch: x @ w of one row.
inline void gemv_quantized_rows(stored_matrix const& w, std::size_t first, std::size_t n, std::size_t k, float const* x,
                                float* y, bool accumulate) {
    const std::size_t blocks = n / weight_block;
    const std::size_t grain = std::max(std::size_t{1}, (std::size_t{1} << 17) / (k * weight_block + 1));
    parallel_for(blocks, grain, [&](std::size_t first_block, std::size_t last_block) {
        const std::size_t begin = first_block * weight_block, end = last_block * weight_block;
        if (!accumulate) std::fill(y + begin, y + end, 0.0f);
        detail::stored_rows_times(w, first, n, k, x, y, begin, end);
    });
}

}  // namespace tenet::kernel
