// SPDX-License-Identifier: MIT
// kernel: the products of attention within one head, tile by tile, in the type of its operands. The loops over tiles
// (attention_head.hpp) know no more of a product than the names that this class has; another class may round.
#pragma once

#include <algorithm>
#include <cstddef>

#include <tenet/kernel/attention_tile.hpp>
#include <tenet/kernel/gemm_in_l1.hpp>
#include <tenet/kernel/gemm_pack.hpp>

namespace tenet::kernel::detail {

/// Rows of one operand of one head: `data` of the first, elements between two.
template <class T>
struct head_rows {
    T* data;
    std::ptrdiff_t stride;

    T* row(std::size_t i) const { return data + static_cast<std::ptrdiff_t>(i) * stride; }
    matrix_view<T> from(std::size_t i) const { return {row(i), stride, 1}; }
    head_rows after(std::size_t i) const { return {row(i), stride}; }
};

template <class T>
matrix_view<T const> as_rows(score_tile<T> const& tile) {
    return {tile.data, static_cast<std::ptrdiff_t>(tile.stride), 1};
}
template <class T>
matrix_view<T const> as_columns(score_tile<T> const& tile) {
    return {tile.data, 1, static_cast<std::ptrdiff_t>(tile.stride)};
}

/// The transpose of `rows` rows of n elements, times `scale`, as rows of `columns` (padded with zeros).
template <class T>
void transpose_rows(T const* x, std::ptrdiff_t stride, std::size_t rows, std::size_t n, std::size_t columns, T scale,
                    T* to) {
    pack_panel(x, std::ptrdiff_t{1}, stride, n, rows, columns, to);
    if (scale == T{1}) return;
    using batch = simd::batch<T>;
    const batch s(scale);
    for (std::size_t i = 0; i < n * columns; i += simd::width<T>)
        (batch::load_aligned(to + i) * s).store_aligned(to + i);
}

/// The products of one head: of the queries taken last and the keys of a tile. `out` and `dout` are [queries][size],
/// `keys` and `values` rows of all keys; dout is for the backward alone.
template <class T>
class attention_products {
public:
    using real_type = T;
    using operand_type = T;

    attention_products(attention_head<T> const& head, head_rows<T const> q, head_rows<T const> k, head_rows<T const> v,
                       head_rows<T const> dout = {})
        : head_(head), q_(q), k_(k), v_(v), dout_(dout) {}

    head_rows<T const> queries() const { return q_; }
    head_rows<T const> keys() const { return k_; }
    head_rows<T const> values() const { return v_; }
    head_rows<T const> output_gradients() const { return dout_; }

    /// The queries [first, first + count), for `scores`.
    void take_queries(std::size_t first, std::size_t count) {
        padded_ = round_up(count, simd::width<T>);
        transpose_rows(q_.row(first), q_.stride, count, head_.size, padded_, head_.scale, tiles<T>().queries);
    }
    /// scale k q^T.
    void scores(score_tile<T> const& tile) { times_transposed(k_, tiles<T>().queries, tile); }
    /// out (+)= tile^T v.
    void outputs(score_tile<T> const& tile, matrix_view<T> out, bool add) {
        gemm_in_l1<T>(tile.queries, head_.size, tile.keys, as_columns(tile), v_.from(tile.first_key), out, add);
    }

    /// The gradients of the results of the queries [first, first + count), for all that follows.
    void take_gradients(std::size_t first, std::size_t count) {
        padded_ = round_up(count, simd::width<T>);
        transpose_rows(dout_.row(first), dout_.stride, count, head_.size, padded_, T{1}, tiles<T>().outputs);
    }
    /// The gradient of the probabilities: v dout^T.
    void probability_gradients(score_tile<T> const& tile) { times_transposed(v_, tiles<T>().outputs, tile); }
    /// dv (+)= tile dout, of probabilities.
    void value_gradients(score_tile<T> const& tile, matrix_view<T> dv, bool add) {
        gemm_in_l1<T>(tile.keys, head_.size, tile.queries, as_rows(tile), dout_.from(tile.first_query), dv, add);
    }
    /// dk (+)= tile q, of gradients of scores, `scale` included.
    void key_gradients(score_tile<T> const& tile, matrix_view<T> dk, bool add) {
        gemm_in_l1<T>(tile.keys, head_.size, tile.queries, as_rows(tile), q_.from(tile.first_query), dk, add);
    }
    /// dq (+)= tile^T k, of the same.
    void query_gradients(score_tile<T> const& tile, matrix_view<T> dq, bool add) {
        gemm_in_l1<T>(tile.queries, head_.size, tile.keys, as_columns(tile), k_.from(tile.first_key), dq, add);
    }

private:
    attention_head<T> head_;
    head_rows<T const> q_, k_, v_, dout_;
    std::size_t padded_ = 0;  // queries taken, in whole registers

    void times_transposed(head_rows<T const> left, T const* transposed, score_tile<T> const& tile) {
        gemm_in_l1<T>(tile.keys, padded_, head_.size, left.from(tile.first_key),
                      {transposed, static_cast<std::ptrdiff_t>(padded_), 1},
                      {tile.data, static_cast<std::ptrdiff_t>(tile.stride), 1}, false);
    }
};

}  // namespace tenet::kernel::detail
