// SPDX-License-Identifier: MIT
// kernel: from numbers to a stored matrix. Blocks and rows are independent of each other, so that threads share them
// out; the scales of 4-bit blocks are then quantised themselves ("double quantisation").
// Source: Dettmers et al., "QLoRA", 2023, section 3; Dettmers et al., "LLM.int8()", 2022, section 2.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <tenet/kernel/dynamic_map.hpp>
#include <tenet/kernel/nf4.hpp>
#include <tenet/kernel/row.hpp>
#include <tenet/kernel/storage.hpp>

namespace tenet::kernel {

/// The upper 16 bits of a float, rounded to nearest even; a NaN stays one.
constexpr std::uint16_t bfloat16_bits(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    if (x != x) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
    return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

/// Quantises the scales of the blocks of a 4-bit record, after subtracting their mean, in blocks of 256.
inline void quantize_scales(storage_layout const& layout, float const* scales, std::byte* record) {
    const std::size_t blocks = layout.blocks();
    double sum = 0;
    for (std::size_t b = 0; b < blocks; ++b) sum += static_cast<double>(scales[b]);
    const float offset = blocks == 0 ? 0 : static_cast<float>(sum / static_cast<double>(blocks));
    std::memcpy(record + layout.offset_at(), &offset, sizeof offset);
    auto* const codes = reinterpret_cast<std::uint8_t*>(record + layout.scale_codes_at());
    for (std::size_t s = 0; s < layout.scale_blocks(); ++s) {
        const std::size_t begin = s * scale_block, end = std::min(blocks, begin + scale_block);
        float largest = 0;
        for (std::size_t b = begin; b < end; ++b) largest = std::max(largest, std::abs(scales[b] - offset));
        std::memcpy(record + layout.floats_at() + 4 * s, &largest, sizeof largest);
        const float inverse = 1 / std::max(largest, 1e-38f);
        for (std::size_t b = begin; b < end; ++b)
            codes[b] = nearest_code(signed_dynamic_map, (scales[b] - offset) * inverse);
    }
}

namespace detail {

template <class T>
void quantize_four_bit(storage_layout const& layout, T const* w, std::byte* record) {
    std::vector<float> scales(layout.blocks());
    auto* const packed = reinterpret_cast<std::uint8_t*>(record);
    for_rows(layout.blocks(), 16 * weight_block, [&](std::size_t b) {
        const std::size_t begin = b * weight_block, n = std::min(weight_block, layout.elements - begin);
        float block[weight_block];
        for (std::size_t i = 0; i < n; ++i) block[i] = static_cast<float>(w[begin + i]);
        scales[b] = encode_block(layout.format, block, n, packed + begin / 2);
    });
    quantize_scales(layout, scales.data(), record);
}

template <class T>
void quantize_int8(storage_layout const& layout, T const* w, std::byte* record) {
    for_rows(layout.rows(), layout.columns, [&](std::size_t r) {
        const std::size_t begin = r * layout.columns, end = std::min(layout.elements, begin + layout.columns);
        float largest = 0;
        for (std::size_t i = begin; i < end; ++i) largest = std::max(largest, std::abs(static_cast<float>(w[i])));
        std::memcpy(record + layout.floats_at() + 4 * r, &largest, sizeof largest);
        const float scale = std::max(largest, 1e-36f) / 127;
        for (std::size_t i = begin; i < end; ++i) {
            const float x = static_cast<float>(w[i]) / scale;
            record[i] = static_cast<std::byte>(static_cast<std::int8_t>(x == x ? std::nearbyint(x) : 0.0f));
        }
    });
}

}  // namespace detail

/// Writes `layout.elements` numbers at `w`, row-major, as a record of `layout.bytes()` bytes at `record`.
///
/// 4 bits: codes of w / a in blocks of 64, a the largest absolute value of the block. The scales a lose their mean and
/// become 8-bit codes of the signed dynamic map, in blocks of 256 with a float each. int8: round(127 w / a), half to
/// even, a the largest absolute value of the row. bfloat16: rounded to nearest even. The same bytes for any number of
/// threads. bitsandbytes: functional.quantize_4bit(compress_statistics=True), functional.int8_vectorwise_quant.
template <class T>
void quantize(storage_layout const& layout, T const* w, std::byte* record) {
    std::fill_n(record, layout.bytes(), std::byte{0});
    switch (layout.format) {
    case storage::fp4:
    case storage::nf4: detail::quantize_four_bit(layout, w, record); break;
    case storage::int8: detail::quantize_int8(layout, w, record); break;
    case storage::bfloat16:
        for (std::size_t i = 0; i < layout.elements; ++i) {
            const std::uint16_t bits = bfloat16_bits(static_cast<float>(w[i]));
            std::memcpy(record + 2 * i, &bits, sizeof bits);
        }
        break;
    case storage::plain:
        for (std::size_t i = 0; i < layout.elements; ++i) {
            const auto x = static_cast<float>(w[i]);
            std::memcpy(record + 4 * i, &x, sizeof x);
        }
    }
}

}  // namespace tenet::kernel
