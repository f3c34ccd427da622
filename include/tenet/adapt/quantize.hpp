// SPDX-License-Identifier: MIT
// adapt: parameters into a quantised block and back. Going back is exact; going there rounds, and says by how much when
// asked to store what was merged.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <tenet/adapt/merge.hpp>
#include <tenet/adapt/quantized.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/kernel/quantize.hpp>

namespace tenet {

/// The difference between weights and what is read back after they were stored, over all stored weights.
struct quantization_error {
    double largest = 0;           ///< the largest difference
    double root_mean_square = 0;  ///< of the differences
    double relative = 0;          ///< the same over the root mean square of the weights
    std::size_t weights = 0;      ///< how many were compared
};

namespace detail {

/// f(plain leaf, stored leaf, layer) for every layer of every parameter.
template <class Model, class F>
void for_each_stored(F const& f) {
    for (std::size_t i = 0; i < parameter_leaves<Model>.size(); ++i)
        for (std::size_t layer = 0; layer < parameter_leaves<Model>[i].layers(); ++layer)
            f(parameter_leaves<plain_model<Model>>[i], parameter_leaves<Model>[i], layer);
}
template <class Block>
auto* layer_address(Block& theta, parameter_leaf const& leaf, std::size_t layer) {
    return theta.data() + leaf.offset + layer * leaf.padded;
}
template <class T>
std::byte* record_of(T* p) {
    return reinterpret_cast<std::byte*>(p);
}
template <class T>
kernel::stored_matrix stored_matrix_of(parameter_leaf const& leaf, T const* p) {
    return {layout_of(leaf), reinterpret_cast<std::byte const*>(p)};
}

}  // namespace detail

/// Writes the parameters `theta` into the quantised block `stored`; what is not quantised is copied.
/// Cost: one pass. The same bytes for any number of threads. transformers: from_pretrained(quantization_config=...).
template <QuantizedModel Model, class T>
void quantize(parameters<plain_model<Model>, T> const& theta, parameters<Model, T>& stored) {
    detail::for_each_stored<Model>([&](parameter_leaf const& from, parameter_leaf const& to, std::size_t layer) {
        T const* const w = detail::layer_address(theta, from, layer);
        T* const out = detail::layer_address(stored, to, layer);
        if (to.format == storage::plain) std::copy_n(w, from.elements, out);
        else kernel::quantize(detail::layout_of(to), w, detail::record_of(out));
    });
}

/// Writes the numbers of the quantised block `stored` into `theta`. PEFT: dequantize_bnb_weight.
template <QuantizedModel Model, class T>
void dequantize(parameters<Model, T> const& stored, parameters<plain_model<Model>, T>& theta) {
    detail::for_each_stored<Model>([&](parameter_leaf const& to, parameter_leaf const& from, std::size_t layer) {
        T const* const w = detail::layer_address(stored, from, layer);
        T* const out = detail::layer_address(theta, to, layer);
        if (from.format == storage::plain) std::copy_n(w, to.elements, out);
        else kernel::dequantize(detail::stored_matrix_of(from, w), out);
    });
}
/// The same as a new block.
template <QuantizedModel Model, class T>
parameters<plain_model<Model>, T> dequantize(parameters<Model, T> const& stored) {
    parameters<plain_model<Model>, T> theta;
    dequantize(stored, theta);
    return theta;
}

/// Stores `theta` as `quantize` does and returns the error that this adds. The way to merge an adapter into a quantised
/// base, which is a step of its own because it rounds again:
///
///     auto merged = merge(dequantize(base), delta);
///     const quantization_error added = requantize(merged.weights(), base);
///
/// PEFT: merge_and_unload of a 4-bit layer, which warns of rounding errors.
template <QuantizedModel Model, class T>
quantization_error requantize(parameters<plain_model<Model>, T> const& theta, parameters<Model, T>& stored) {
    quantize(theta, stored);
    quantization_error e;
    double squares = 0, weights = 0;
    std::vector<T> read;
    detail::for_each_stored<Model>([&](parameter_leaf const& from, parameter_leaf const& to, std::size_t layer) {
        if (to.format == storage::plain) return;
        T const* const w = detail::layer_address(theta, from, layer);
        read.resize(from.elements);
        kernel::dequantize(detail::stored_matrix_of(to, detail::layer_address(stored, to, layer)), read.data());
        for (std::size_t i = 0; i < from.elements; ++i) {
            const double difference = static_cast<double>(read[i]) - static_cast<double>(w[i]);
            e.largest = std::max(e.largest, std::abs(difference));
            squares += difference * difference;
            weights += static_cast<double>(w[i]) * static_cast<double>(w[i]);
        }
        e.weights += from.elements;
    });
    if (e.weights != 0) e.root_mean_square = std::sqrt(squares / static_cast<double>(e.weights));
    if (weights > 0) e.relative = std::sqrt(squares / weights);
    return e;
}

/// Merging into a quantised base: an error of its own, since the result would be rounded again without a word.
template <QuantizedModel Model, class Adapter, class T>
requires(!QuantizedModel<typename Adapter::base_type>)
void merge(parameters<Model, T> const&, parameters<Adapter, T> const&) {
    static_assert(sizeof(Model) == 0,
                  "merge(base, adapter): the base is quantized; merge into dequantize(base), then requantize()");
}

}  // namespace tenet
