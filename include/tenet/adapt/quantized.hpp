// SPDX-License-Identifier: MIT
// adapt: a model whose weights are stored in 4, 8 or 16 bits, as a type. It is the same model, member by member, so
// that code, names and adapters stay as they are; only its parameter block differs. What is stored so is frozen.
#pragma once

#include <cstddef>

#include <tenet/adapt/targets.hpp>
#include <tenet/kernel/storage.hpp>
#include <tenet/program/layout.hpp>
#include <tenet/program/parameters.hpp>

namespace tenet {
namespace detail {

/// The innermost model: that of the plain numbers.
template <class Model>
struct innermost_model {
    using type = Model;
};
template <QuantizedModel Model>
struct innermost_model<Model> {
    using type = typename innermost_model<typename Model::stored_model>::type;
};

/// How a leaf is stored: its rows are those of the matrix that a file has, of a table those that are looked up.
constexpr kernel::storage_layout layout_of(parameter_leaf const& leaf) {
    return {leaf.format, leaf.elements, leaf.columns};
}
constexpr std::size_t columns_of(parameter_leaf const& leaf) {
    const int first = leaf.inputs == 0 ? 1 : leaf.outputs_first ? leaf.rank - leaf.inputs : leaf.inputs;
    std::size_t n = 1;
    for (int i = first; i < leaf.rank; ++i) n *= leaf.axes[i]->capacity;
    return n;
}

}  // namespace detail

/// `Model` with the weights that `Targets` takes stored as `Format`, all others as they are.
///
///     using base = quantized<gpt, storage::nf4>;                                         // all linear layers
///     using small = quantized<base, storage::bfloat16, targets<"wte", "wpe">>;           // and the tables
///     parameters<small> theta;
///     quantize(weights, theta);
///     program<models<small, lora<gpt, 8>>, loss, ...> step;                              // QLoRA
///
/// It stands wherever the model does: calls, members, `frozen`, `with`. Products and look-ups read the stored bytes in
/// both directions; any other use turns the weight into numbers in the arena first. Stored weights are never trained.
/// Targets are those of adapters (adapt/targets.hpp). Dettmers et al.: QLoRA (2023). transformers: BitsAndBytesConfig.
template <class Model, storage Format, class Targets = all_linear>
struct quantized : Model {
    static_assert(Format != storage::plain, "quantized<Model, Format>: name a storage of fewer bits");
    using stored_model = Model;

    /// Whether the weight is stored as `Format`: one that an inner `quantized` has taken stays as it is.
    static constexpr bool takes(parameter_leaf const& leaf) {
        return leaf.format == storage::plain && Targets::template matches<Model>(leaf);
    }

    static constexpr detail::leaf_collector collect() {
        detail::leaf_collector all;
        for (parameter_leaf leaf : parameter_leaves<Model>) {
            if (takes(leaf)) {
                leaf.format = Format;
                leaf.columns = detail::columns_of(leaf);
                // In units of float, whatever the program's numbers are.
                leaf.padded = (detail::layout_of(leaf).bytes() + 63) / 64 * 16;
            }
            leaf.offset = all.elements;
            all.elements += leaf.padded * leaf.layers();
            all.leaves.push_back(leaf);
        }
        return all;
    }

    static_assert(std::is_void_v<decltype(Targets::template check<Model>())>);
};

/// `gpt` for `quantized<gpt, ...>`, however deep.
template <class Model>
using plain_model = typename detail::innermost_model<Model>::type;

/// Bytes of all parameters of `Model`, as stored and with padding.
template <class Model>
inline constexpr std::size_t parameter_bytes = 4 * parameter_elements<Model>;

/// Bits for each parameter of those that are stored in fewer than 32, scales included.
template <QuantizedModel Model>
inline constexpr double bits_per_quantized_parameter = [] {
    double bits = 0, count = 0;
    for (parameter_leaf const& leaf : parameter_leaves<Model>) {
        if (leaf.format == storage::plain) continue;
        bits += 8.0 * static_cast<double>(detail::layout_of(leaf).bytes() * leaf.layers());
        count += static_cast<double>(leaf.elements * leaf.layers());
    }
    return bits / count;
}();

}  // namespace tenet
