// SPDX-License-Identifier: MIT
// adapt: first values of a low-rank adapter, which leave the base as it is.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <tenet/adapt/low_rank.hpp>
#include <tenet/nn/init.hpp>

namespace tenet {
namespace detail {

template <class Adapter, class T>
void fill_factors(parameters<Adapter, T>& delta, std::uint64_t seed) {
    std::fill_n(delta.data(), delta.size(), T(0));
    for_each_target<Adapter>([&](parameter_leaf const& leaf, std::size_t layer, update_sizes const& n) {
        parameter_leaf const& drawn = adapter_leaf<Adapter>(leaf, n.table ? "lora_embedding_B" : "lora_A");
        const double bound = 1 / std::sqrt(static_cast<double>(n.in));
        init::fill(layer_data(delta, drawn, layer), drawn.elements,
                   n.table ? init::normal(1) : init::uniform(-bound, bound), seed,
                   init::stream_of(leaf_name(drawn, layer)));
    });
}

}  // namespace detail

/// Sets a low-rank adapter to first values that leave the base as it is: A of a linear layer U(-1/sqrt(in),
/// 1/sqrt(in)), which is Kaiming's rule with a = sqrt(5), and B zero; of a table A zero and B N(0, 1).
///
/// Each array draws from a stream of its own, keyed by its name, so that numbers depend on neither threads nor other
/// layers. Hu et al. (2021), section 4.1. PEFT: init_lora_weights=True.
template <class Adapter, class T>
void initialize_adapter(parameters<Adapter, T>& delta, std::uint64_t seed) {
    static_assert(!Adapter::update::options.magnitude,
                  "initialize_adapter(delta, seed): magnitudes are lengths of the base's weights: give the base too");
    detail::fill_factors(delta, seed);
}

/// The same of an adapter with magnitudes: each is the length of the base's weights of that output.
/// Liu et al.: DoRA (2024), section 4.1.
template <class Adapter, class T>
void initialize_adapter(parameters<Adapter, T>& delta, std::uint64_t seed,
                        parameters<typename Adapter::base_type, T> const& base) {
    detail::fill_factors(delta, seed);
    if constexpr (Adapter::update::options.magnitude) {
        using namespace detail;
        for_each_target<Adapter>([&](parameter_leaf const& leaf, std::size_t layer, update_sizes const& n) {
            if (n.table) return;
            const auto lengths = column_lengths(n, layer_data(base, leaf, layer));
            T* const to = layer_data(delta, adapter_leaf<Adapter>(leaf, "lora_magnitude_vector"), layer);
            std::transform(lengths.begin(), lengths.end(), to, [](double x) { return static_cast<T>(x); });
        });
    }
}

}  // namespace tenet
