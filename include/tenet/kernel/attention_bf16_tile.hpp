// SPDX-License-Identifier: MIT
// kernel: what attention in bfloat16 products needs beside attention_tile.hpp: operands rounded to pairs, those of keys
// and values once a head where it is short enough, and the product of a tile. Scores, probabilities and their gradients
// are floats between products.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <tenet/kernel/attention_products.hpp>
#include <tenet/kernel/gemm_bf16_pack.hpp>
#include <tenet/kernel/gemm_bf16_tile.hpp>
#include <tenet/kernel/gemm_bf16_units.hpp>
#include <tenet/kernel/gemm_finish.hpp>

namespace tenet::kernel::detail {

/// Pairs of all keys or values of a head: 1024 of 64 elements, or one tile of the largest head.
inline constexpr std::size_t head_pairs = key_tile * largest_head / 2;

/// Pairs of a tile of queries, an odd element or row and the padding of either side included.
inline constexpr std::size_t query_pairs = transposed_size / 2 + query_tile / 2 * 16;

/// This thread's rounded operands. "rows" have pairs along the row, "columns" pairs of two rows.
struct bf16_attention_workspace {
    alignas(64) std::uint32_t key_rows[head_pairs];
    alignas(64) std::uint32_t key_columns[head_pairs];
    alignas(64) std::uint32_t value_rows[head_pairs];
    alignas(64) std::uint32_t value_columns[head_pairs];
    alignas(64) std::uint32_t query_transposed[query_pairs];  ///< [pairs of the head][queries], scaled
    alignas(64) std::uint32_t output_transposed[query_pairs];
    alignas(64) std::uint32_t query_columns[query_pairs];  ///< [pairs of queries][the head]
    alignas(64) std::uint32_t output_columns[query_pairs];
    alignas(64) std::uint32_t tile_rows[key_tile * query_tile / 2];
    alignas(64) std::uint32_t tile_columns[key_tile * query_tile / 2];
};
inline bf16_attention_workspace& bf16_tiles() {
    static thread_local bf16_attention_workspace space;
    return space;
}

/// A left operand of pairs, by strides.
struct pair_rows {
    std::uint32_t const* data;
    std::ptrdiff_t row, step;
};

/// Whether a product is of whole tiles of a processor that has them: m by n results, `steps` pairs along k.
inline bool whole_tiles(std::size_t m, std::size_t n, std::size_t steps) {
    return simd::has_tiles && (m | n | steps) % simd::tile_size == 0 && simd::tiles_allowed();
}

/// c[i,j] (+)= sum over `steps` pairs of a[i,.] b[.,j]; b is [steps][b_step].
inline void bf16_tile_gemm(std::size_t m, std::size_t n, std::size_t steps, pair_rows a, std::uint32_t const* b,
                           std::size_t b_step, matrix_view<float> c, bool accumulate) {
    constexpr std::size_t width = simd::width<float>;
#if TENET_HAS_TILES
    if (a.step == 1 && whole_tiles(m, n, steps)) {
        const simd::tiles_in_use tiles;
        for (std::size_t j = 0; j < n; j += block_side)
            for (std::size_t i = 0; i < m; i += block_side) {
                const auto row = static_cast<std::ptrdiff_t>(i);
                multiply_block(std::min(block_side, m - i), std::min(block_side, n - j), a.data + row * a.row,
                               static_cast<std::size_t>(a.row), b + j, b_step, steps,
                               c.data + row * c.row_stride + static_cast<std::ptrdiff_t>(j), c.row_stride, accumulate);
            }
        return;
    }
#endif
    bf16_tile_arguments t{};
    t.a_row = a.row;
    t.a_step = a.step;
    t.b_step = static_cast<std::ptrdiff_t>(b_step);
    t.steps = steps;
    for (std::size_t j = 0; j < n;) {
        const std::size_t registers = panel_registers<float>((n - j + width - 1) / width);
        const std::size_t columns = std::min(n - j, registers * width);
        t.b = b + j;
        t.finish = columns == registers * width ? nullptr : &finish_plain<float, true>;
        for (std::size_t i = 0; i < m; i += bf16_rows) {
            const std::size_t rows = std::min(bf16_rows, m - i);
            t.a = a.data + static_cast<std::ptrdiff_t>(i) * a.row;
            t.to = {nullptr, c, i, j, rows, columns, accumulate};
            t.to.c.data += static_cast<std::ptrdiff_t>(i) * c.row_stride + static_cast<std::ptrdiff_t>(j);
            t.results = reinterpret_cast<char const*>(t.to.c.data);
            t.results_row = c.row_stride * static_cast<std::ptrdiff_t>(sizeof(float));
            find_bf16_tile(rows, registers)(t);
        }
        j += registers * width;
    }
}

/// `rows` rows of n elements, as pairs along them, `to_stride` pairs apart.
template <class S>
void pack_pair_rows(head_rows<S const> x, std::size_t rows, std::size_t n, std::uint32_t* to, std::size_t to_stride) {
    for (std::size_t i = 0; i < rows; ++i) pack_row_pairs(x.row(i), n, to + i * to_stride);
}

/// Rows as the right operand of a product over them: [pairs of rows][padded].
template <class S>
void pack_pair_columns(head_rows<S const> x, std::size_t rows, std::size_t n, std::size_t padded, std::uint32_t* to) {
    pack_b_pairs(matrix_view<S const>{x.data, x.stride, 1}, rows, n, padded, to);
}

/// Rows, times `scale`, as the right operand of a product along them: [pairs of elements][padded].
template <class S>
void transpose_pairs(head_rows<S const> x, std::size_t rows, std::size_t n, std::size_t padded, float scale,
                     float* scratch, std::uint32_t* to) {
    if (scale == 1.0f) return pack_b_pairs(matrix_view<S const>{x.data, 1, x.stride}, n, rows, padded, to);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < n; ++j) scratch[i * n + j] = x.row(i)[j] * scale;
    pack_b_pairs(matrix_view<float const>{scratch, 1, static_cast<std::ptrdiff_t>(n)}, n, rows, padded, to);
}

/// A tile as the left operand of a product over its queries.
inline pair_rows round_rows(score_tile<float> const& tile) {
    std::uint32_t* const to = bf16_tiles().tile_rows;
    for (std::size_t j = 0; j < tile.keys; ++j)
        pack_row_pairs(tile.data + j * tile.stride, tile.queries, to + j * (query_tile / 2));
    return {to, query_tile / 2, 1};
}

/// A tile as the left operand, transposed, of a product over its keys.
inline pair_rows round_columns(score_tile<float> const& tile) {
    std::uint32_t* const to = bf16_tiles().tile_columns;
    const auto stride = static_cast<std::ptrdiff_t>(tile.stride);
#if TENET_HAS_TILES
    if (tile.keys % 2 == 0 && whole_tiles(tile.queries, 0, tile.keys / 2)) {
        pack_a_tiles(matrix_view<float const>{tile.data, 1, stride}, tile.queries, tile.keys, tile.keys / 2, to,
                     tile.keys / 2);
        return {to, static_cast<std::ptrdiff_t>(tile.keys / 2), 1};
    }
#endif
    const std::size_t padded = round_up(tile.queries, simd::width<float>);
    pack_b_pairs(matrix_view<float const>{tile.data, stride, 1}, tile.keys, tile.queries, padded, to);
    return {to, 1, static_cast<std::ptrdiff_t>(padded)};
}

/// Rounded tiles of the keys or values of a head: all are kept where there is room, else the one at hand.
class rounded_tiles {
public:
    /// `per_tile` pairs for every full tile of the keys that exist.
    rounded_tiles(attention_head<float> const& head, std::uint32_t* memory, std::size_t per_tile)
        : length_(head.length), per_tile_(per_tile), memory_(memory) {
        keeps_ = (head.length + key_tile - 1) / key_tile * per_tile <= head_pairs;
    }
    /// The tile that begins with key `first`; `pack(first, count, to)` rounds it unless it is here.
    template <class Pack>
    std::uint32_t const* at(std::size_t first, Pack const& pack) {
        const std::size_t index = first / key_tile;
        std::uint32_t* const to = keeps_ ? memory_ + index * per_tile_ : memory_;
        if (!keeps_ || !(done_ > index)) {
            // Tiles are asked for from the first on, at least once before later ones.
            pack(first, std::min(key_tile, length_ - first), to);
            done_ = index + 1;
        }
        return to;
    }

private:
    std::size_t length_, per_tile_, done_ = 0;
    std::uint32_t* memory_;
    bool keeps_;
};

}  // namespace tenet::kernel::detail
