// SPDX-License-Identifier: MIT
// adapt: a base and its adapter made into plain weights, and taken apart again. That weights are merged is part of
// their type: merging twice does not compile.
#pragma once

#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

#include <tenet/adapt/low_rank.hpp>

namespace tenet {

/// Parameters of `Adapter`'s base with the adapter's update in them, and the bytes that the update replaced. Made by
/// `merge`. Read-only: run programs and save files with `weights()`.
template <class Adapter, class T = float>
class merged_parameters {
public:
    using base_type = typename Adapter::base_type;

    /// The merged weights: an ordinary parameter block for programs of the base without the adapter.
    parameters<base_type, T> const& weights() const { return weights_; }

    /// The base as it was, to the last bit. Subtracting the update again would not be.
    parameters<base_type, T> unmerge() && {
        T const* from = replaced_.data();
        detail::for_each_target<Adapter>([&](parameter_leaf const& leaf, std::size_t layer, auto const&) {
            std::memcpy(detail::layer_data(weights_, leaf, layer), from, leaf.elements * sizeof(T));
            from += leaf.elements;
        });
        return std::move(weights_);
    }

    /// The base with its update for good: the replaced bytes are given up.
    parameters<base_type, T> take() && { return std::move(weights_); }

private:
    template <class A, class U>
    friend merged_parameters<A, U> merge(parameters<typename A::base_type, U>&&, parameters<A, U> const&);

    explicit merged_parameters(parameters<base_type, T>&& base) : weights_(std::move(base)) {}

    parameters<base_type, T> weights_;
    std::vector<T> replaced_;
};

/// W + s A B in place of W for every weight that the adapter takes; with magnitudes m (W + s A B) / |W + s A B|. The
/// base is moved from: it exists merged or plain, never both.
///
///     auto merged = merge(std::move(base), delta);
///     run(merged.weights(), x);                        // no adapter, no cost
///     base = std::move(merged).unmerge();              // the same bytes as before
///
/// Cost: 2 rank in out operations a weight, and a copy of the replaced weights. PEFT: merge_adapter, unmerge_adapter.
template <class Adapter, class T>
merged_parameters<Adapter, T> merge(parameters<typename Adapter::base_type, T>&& base,
                                    parameters<Adapter, T> const& delta) {
    static_assert(!QuantizedModel<typename Adapter::base_type>,
                  "merge(base, adapter): the base is quantized; merge into dequantize(base), then requantize()");
    using namespace detail;
    merged_parameters<Adapter, T> merged(std::move(base));
    std::size_t count = 0;
    for_each_target<Adapter>([&](parameter_leaf const& leaf, std::size_t, auto const&) { count += leaf.elements; });
    merged.replaced_.reserve(count);
    for_each_target<Adapter>([&](parameter_leaf const& leaf, std::size_t layer, update_sizes const& n) {
        T* const weight = layer_data(merged.weights_, leaf, layer);
        merged.replaced_.insert(merged.replaced_.end(), weight, weight + leaf.elements);
        const auto factor = [&](char const* role) {
            return layer_data(delta, adapter_leaf<Adapter>(leaf, role), layer);
        };
        add_update(n, static_cast<T>(Adapter::update::scale), factor(n.table ? "lora_embedding_A" : "lora_A"),
                   factor(n.table ? "lora_embedding_B" : "lora_B"), weight);
        if constexpr (Adapter::update::options.magnitude)
            if (!n.table) set_lengths(n, factor("lora_magnitude_vector"), weight);
    });
    return merged;
}

/// Merging what is merged: an error of its own, since the result would hold an update twice.
template <class Merged, class Adapter, class T, class U>
void merge(merged_parameters<Merged, T> const&, parameters<Adapter, U> const&) {
    static_assert(
        sizeof(Merged) == 0,
        "merge(base, adapter): the base is merged already; unmerge() it first, or take() it to keep the update");
}

}  // namespace tenet
