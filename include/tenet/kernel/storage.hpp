// SPDX-License-Identifier: MIT
// kernel: how the weights of a frozen matrix may be stored in fewer bits, and where the parts of such a record lie. A
// record is one run of bytes: codes first, then what they are scaled by; all of it a constant of the matrix's shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tenet {

/// How the elements of a parameter are stored.
enum class storage : std::uint8_t {
    plain,     ///< as the program's real numbers
    bfloat16,  ///< the upper 16 bits of a float, rounded to nearest even
    int8,      ///< round(127 w / a), a the largest |w| of its row
    fp4,       ///< 4-bit floating point in blocks of 64 with doubly quantised scales
    nf4        ///< 4-bit NormalFloat in the same blocks: quantiles of a normal distribution
};

/// The name used in messages and in files, e.g. "nf4".
constexpr std::string_view name_of(storage s) {
    switch (s) {
    case storage::bfloat16: return "bfloat16";
    case storage::int8: return "int8";
    case storage::fp4: return "fp4";
    case storage::nf4: return "nf4";
    default: return "plain";
    }
}

constexpr bool is_four_bit(storage s) {
    return s == storage::fp4 || s == storage::nf4;
}

/// The bits of a number without its scale.
constexpr std::size_t bits_of(storage s) {
    return s == storage::plain ? 32 : s == storage::bfloat16 ? 16 : s == storage::int8 ? 8 : 4;
}

namespace kernel {

/// Weights that share a scale, and scales that share one, in the 4-bit storages: bitsandbytes' defaults.
inline constexpr std::size_t weight_block = 64, scale_block = 256;

/// Where the parts of a stored matrix of `elements` numbers in rows of `columns` lie, in bytes from its start.
///
/// 4 bits: two codes a byte, the first in the high half, in whole blocks; then, for each `scale_block` blocks, a float
/// ("nested_absmax"), a float ("nested_offset"), and a byte for each block ("absmax"). Blocks run over the flat
/// row-major order. int8: a byte an element, then a float a row ("SCB"). bfloat16: two bytes an element.
struct storage_layout {
    storage format = storage::plain;
    std::size_t elements = 0, columns = 0;

    constexpr std::size_t rows() const { return columns == 0 ? 0 : (elements + columns - 1) / columns; }
    constexpr std::size_t blocks() const { return (elements + weight_block - 1) / weight_block; }
    constexpr std::size_t scale_blocks() const { return (blocks() + scale_block - 1) / scale_block; }

    /// The floats: nested scales, or the rows' scales.
    constexpr std::size_t floats_at() const {
        return format == storage::int8 ? (elements + 3) / 4 * 4 : blocks() * (weight_block / 2);
    }
    constexpr std::size_t float_count() const { return format == storage::int8 ? rows() : scale_blocks(); }
    /// The mean of the blocks' scales, which is subtracted before they are quantised.
    constexpr std::size_t offset_at() const { return floats_at() + 4 * scale_blocks(); }
    /// The codes of the blocks' scales.
    constexpr std::size_t scale_codes_at() const { return offset_at() + 4; }

    /// Bytes of the whole record.
    constexpr std::size_t bytes() const {
        switch (format) {
        case storage::bfloat16: return 2 * elements;
        case storage::int8: return floats_at() + 4 * rows();
        case storage::fp4:
        case storage::nf4: return scale_codes_at() + blocks();
        default: return 4 * elements;
        }
    }
    /// Bits for each weight, scales included: 4.127 for a large matrix of 4-bit codes.
    constexpr double bits_per_weight() const {
        return 8.0 * static_cast<double>(bytes()) / static_cast<double>(elements);
    }
};

}  // namespace kernel
}  // namespace tenet
