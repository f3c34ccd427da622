// SPDX-License-Identifier: MIT
// adapt: the arithmetic of a low-rank update outside of a program, on the memory of parameters: for first values, for
// merging, for files.
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/adapt/lora.hpp>
#include <tenet/kernel/gemm.hpp>
#include <tenet/program/parameters.hpp>

namespace tenet {
namespace detail {

/// The place of the leaf that an adapter adds to the base's weight `weight` under the name `role`; `exception` if none.
template <class Adapter>
parameter_leaf const& adapter_leaf(parameter_leaf const& weight, std::string_view role) {
    for (parameter_leaf const& leaf : parameter_leaves<Adapter>)
        if (leaf.adapts.view() == weight.path.view() && leaf.role.view() == role) return leaf;
    fail_expectation("adapter", "a parameter " + std::string(role) + " of " + std::string(weight.path.view()), "none");
}

/// The sizes of a low-rank update: `parts` products of [in, rank] and [rank, out / parts].
struct update_sizes {
    std::size_t in = 1, out = 1, parts = 1, rank = 1;
    bool table = false, outputs_first = false;
};
template <class Adapter>
update_sizes sizes_of_update(parameter_leaf const& weight) {
    using update = typename Adapter::update;
    update_sizes n;
    const weight_sides sides = sides_of(weight);
    for (axis_info const* a : sides.in) n.in *= a->capacity;
    for (axis_info const* a : sides.out) n.out *= a->capacity;
    if (axis_info const* p = update::target_choice::template parts_of<typename Adapter::base_type>(weight))
        n.parts = p->capacity;
    n.rank = static_cast<std::size_t>(update::rank);
    n.table = weight.inputs == 0;
    n.outputs_first = weight.outputs_first;
    return n;
}

/// Adds s A B to a weight's memory, [in, out] or [out, in].
template <class T>
void add_update(update_sizes const& n, T scale, T const* a, T const* b, T* weight) {
    const std::size_t columns = n.out / n.parts;
    const auto stride = [](std::size_t x) { return static_cast<std::ptrdiff_t>(x); };
    std::vector<T> scaled(n.in * n.rank);
    for (std::size_t p = 0; p < n.parts; ++p) {
        T const* const from = a + p * n.in * n.rank;
        for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] = scale * from[i];
        // Of a table A is [rows, rank], of a linear layer [rank, in]; B is [out, rank].
        const kernel::matrix_view<T const> left = n.table
                                                      ? kernel::matrix_view<T const>{scaled.data(), stride(n.rank), 1}
                                                      : kernel::matrix_view<T const>{scaled.data(), 1, stride(n.in)};
        const kernel::matrix_view<T const> right{b + p * columns * n.rank, 1, stride(n.rank)};
        if (n.outputs_first) {
            const kernel::matrix_view<T> result{weight + p * columns * n.in, stride(n.in), 1};
            kernel::gemm<T>(columns, n.in, n.rank, {right.data, right.column_stride, right.row_stride},
                            {left.data, left.column_stride, left.row_stride}, result, true);
        } else {
            const kernel::matrix_view<T> result{weight + p * columns, stride(n.out), 1};
            kernel::gemm<T>(n.in, columns, n.rank, left, right, result, true);
        }
    }
}

/// |w_j| over the inputs, for every output j of a weight.
template <class T>
std::vector<double> column_lengths(update_sizes const& n, T const* weight) {
    std::vector<double> squares(n.out, 0);
    for (std::size_t i = 0; i < n.in; ++i)
        for (std::size_t j = 0; j < n.out; ++j) {
            const double w = static_cast<double>(n.outputs_first ? weight[j * n.in + i] : weight[i * n.out + j]);
            squares[j] += w * w;
        }
    for (double& s : squares) s = std::sqrt(s);
    return squares;
}

/// Gives every output's weights the length that is asked for.
template <class T>
void set_lengths(update_sizes const& n, T const* lengths, T* weight) {
    const std::vector<double> found = column_lengths(n, weight);
    for (std::size_t i = 0; i < n.in; ++i)
        for (std::size_t j = 0; j < n.out; ++j)
            weight[n.outputs_first ? j * n.in + i : i * n.out + j] *=
                static_cast<T>(static_cast<double>(lengths[j]) / found[j]);
}

/// Calls f(leaf of the base, layer, sizes) for every layer of every weight that the adapter takes.
template <class Adapter, class F>
void for_each_target(F&& f) {
    for (parameter_leaf const& leaf : parameter_leaves<typename Adapter::base_type>) {
        if (!Adapter::is_target(leaf)) continue;
        const update_sizes n = sizes_of_update<Adapter>(leaf);
        for (std::size_t layer = 0; layer < leaf.layers(); ++layer) f(leaf, layer, n);
    }
}

template <class M, class T>
T* layer_data(parameters<M, T>& theta, parameter_leaf const& leaf, std::size_t layer) {
    return theta.data() + leaf.offset + layer * leaf.padded;
}
template <class M, class T>
T const* layer_data(parameters<M, T> const& theta, parameter_leaf const& leaf, std::size_t layer) {
    return theta.data() + leaf.offset + layer * leaf.padded;
}

}  // namespace detail
}  // namespace tenet
