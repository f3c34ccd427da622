// SPDX-License-Identifier: MIT
// kernel: from a stored matrix to numbers, any run of them. A byte of 4-bit codes is looked up as a pair, so that no
// machine needs a shuffle of registers; a run is scaled in a second sweep over a buffer in the L1 cache.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <tenet/kernel/dynamic_map.hpp>
#include <tenet/kernel/gather.hpp>
#include <tenet/kernel/nf4.hpp>
#include <tenet/kernel/row.hpp>
#include <tenet/kernel/storage.hpp>
#include <tenet/simd/convert.hpp>
#include <tenet/simd/lookup.hpp>

namespace tenet::kernel {

/// A stored matrix in memory owned elsewhere.
struct stored_matrix {
    storage_layout layout;
    std::byte const* record = nullptr;

    /// Float number `i` of the record's scales.
    float scale(std::size_t i) const {
        float x;
        std::memcpy(&x, record + layout.floats_at() + 4 * i, sizeof x);
        return x;
    }
    float scale_offset() const {
        float x;
        std::memcpy(&x, record + layout.offset_at(), sizeof x);
        return x;
    }
    /// The scale of block `b` of 4-bit codes.
    float block_scale(std::size_t b) const {
        const auto code = static_cast<std::size_t>(record[layout.scale_codes_at() + b]);
        return signed_dynamic_map[code] * scale(b / scale_block) + scale_offset();
    }
    /// The factor of row `r` of int8 codes.
    float row_scale(std::size_t r) const { return scale(r) / 127; }
};

namespace detail {

/// The scales of a stored matrix for loops over it: where they lie is computed once.
class row_scales {
public:
    explicit row_scales(stored_matrix const& m)
        : floats_(m.record + m.layout.floats_at()), codes_(m.record + m.layout.scale_codes_at()) {
        if (is_four_bit(m.layout.format)) offset_ = m.scale_offset();
    }
    /// `row_scale` and `block_scale` of the matrix.
    TENET_INLINE float of_row(std::size_t r) const { return number(r) / 127; }
    TENET_INLINE float of_block(std::size_t b) const {
        return signed_dynamic_map[static_cast<std::size_t>(codes_[b])] * number(b / scale_block) + offset_;
    }

private:
    std::byte const *floats_, *codes_;
    float offset_ = 0;

    TENET_INLINE float number(std::size_t i) const {
        float x;
        std::memcpy(&x, floats_ + 4 * i, sizeof x);
        return x;
    }
};

// to[i] = from[i] * factor, as T.
template <class T>
TENET_INLINE void scaled_run(float const* from, float factor, std::size_t n, T* to) {
    if constexpr (std::is_same_v<T, float>) {
        const batch<float> f(factor);
        for_vectors<float>(n, [&](std::size_t i, auto t) { store<float>(load(from + i, t) * f, to + i, t); });
    } else {
        for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<T>(from[i] * factor);
    }
}

// The numbers of the codes from `packed` on, unscaled; up to 15 more than `n` are written.
inline void read_codes(storage format, std::uint8_t const* packed, std::size_t n, float* to) {
    pair_map const& pairs = format == storage::fp4 ? fp4_pairs : nf4_pairs;
    for (std::size_t i = 0; i < n; i += 2) std::memcpy(to + i, &pairs[*packed++], sizeof(code_pair));
}

template <class T>
[[gnu::flatten, gnu::noinline]] void read_four_bit(stored_matrix const& m, std::size_t first, std::size_t count,
                                                   T* out) {
    constexpr std::size_t chunk = 8 * weight_block;
    auto const* const packed = reinterpret_cast<std::uint8_t const*>(m.record);
    alignas(64) float codes[chunk + 16];
    const std::size_t end = first + count;
    for (std::size_t at = first; at < end;) {
        const std::size_t even = at / 2 * 2, next = std::min(end, at / weight_block * weight_block + chunk);
        bool looked_up = false;
        if constexpr (simd::has_lookup && std::is_same_v<T, float>) {
            // Whole blocks need no buffer.
            if (at % weight_block == 0 && (next - at) % weight_block == 0) {
                const batch<T> table = batch<T>::load_unaligned(codes_of(m.layout.format).data());
                for (std::size_t b = at / weight_block; b < next / weight_block; ++b) {
                    const batch<T> factor(m.block_scale(b));
                    for (std::size_t i = b * weight_block; i < (b + 1) * weight_block; i += 16)
                        (simd::lookup_codes<T>(table, packed + i / 2) * factor).store_unaligned(out + (i - first));
                }
                at = next;
                looked_up = true;
            }
        }
        if (looked_up) continue;
        read_codes(m.layout.format, packed + even / 2, next - even, codes);
        while (at < next) {
            const std::size_t b = at / weight_block, stop = std::min(next, (b + 1) * weight_block);
            scaled_run(codes + (at - even), m.block_scale(b), stop - at, out + (at - first));
            at = stop;
        }
    }
}

template <class T>
[[gnu::flatten, gnu::noinline]] void read_int8(stored_matrix const& m, std::size_t first, std::size_t count, T* out) {
    auto const* const codes = reinterpret_cast<std::int8_t const*>(m.record);
    const std::size_t end = first + count;
    for (std::size_t at = first; at < end;) {
        const std::size_t r = at / m.layout.columns, n = std::min(end, (r + 1) * m.layout.columns) - at;
        const batch<T> factor(static_cast<T>(m.row_scale(r)));
        T* const to = out + (at - first);
        for_vectors<T>(n, [&](std::size_t i, auto t) {
            if constexpr (std::is_same_v<decltype(t), whole>)
                store<T>(simd::load_as<T>(codes + at + i) * factor, to + i, t);
            else store<T>(simd::load_as_partial<T>(codes + at + i, t.count) * factor, to + i, t);
        });
        at += n;
    }
}

template <class T>
[[gnu::flatten, gnu::noinline]] void read_bfloat16(stored_matrix const& m, std::size_t first, std::size_t count,
                                                   T* out) {
    std::byte const* const from = m.record + 2 * first;
    for_vectors<T>(count, [&](std::size_t i, auto t) {
        alignas(64) std::uint16_t bits[simd::width<T>] = {};
        if constexpr (std::is_same_v<decltype(t), whole>) std::memcpy(bits, from + 2 * i, sizeof bits);
        else std::memcpy(bits, from + 2 * i, 2 * t.count);
        store<T>(simd::load_bfloat16<T>(bits), out + i, t);
    });
}

}  // namespace detail

/// Writes the numbers [first, first + count) of a stored matrix, counted row by row, to `out`.
///
/// On the calling thread; about 0.2 ns a number from the L1 cache, whatever the storage. bitsandbytes:
/// functional.dequantize_4bit, int8_vectorwise_dequant.
template <class T>
void dequantize_run(stored_matrix const& m, std::size_t first, std::size_t count, T* out) {
    switch (m.layout.format) {
    case storage::fp4:
    case storage::nf4: return detail::read_four_bit(m, first, count, out);
    case storage::int8: return detail::read_int8(m, first, count, out);
    case storage::bfloat16: return detail::read_bfloat16(m, first, count, out);
    case storage::plain:
        for (std::size_t i = 0; i < count; ++i) {
            float x;
            std::memcpy(&x, m.record + 4 * (first + i), sizeof x);
            out[i] = static_cast<T>(x);
        }
    }
}

/// All numbers of a stored matrix; threads share them out.
template <class T>
void dequantize(stored_matrix const& m, T* out) {
    constexpr std::size_t piece = 4096;
    detail::for_rows((m.layout.elements + piece - 1) / piece, piece, [&](std::size_t p) {
        const std::size_t begin = p * piece;
        dequantize_run(m, begin, std::min(piece, m.layout.elements - begin), out + begin);
    });
}

/// out[i, :] = table[index[i], :], where the table [rows, width] is stored.
///
/// index: [count], out: [count, width]. Returns -1, or the first position whose index lies outside [0, rows), and then
/// writes nothing. PyTorch: torch.nn.functional.embedding of a dequantised table.
template <class T>
std::ptrdiff_t gather_quantized_rows(stored_matrix const& table, std::int32_t const* index, T* out, auto count,
                                     auto rows, auto width) {
    const std::size_t n = width;
    if (const std::ptrdiff_t bad = first_bad_index(index, count, rows); bad >= 0) return bad;
    detail::for_rows(count, n, [&](std::size_t i) {
        dequantize_run(table, static_cast<std::size_t>(index[i]) * n, n, out + i * n);
    });
    return -1;
}

}  // namespace tenet::kernel
