// SPDX-License-Identifier: MIT
// DPO with an adapter: one block of weights, of which the reference is the model with the adapter off.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <tenet/align/metrics.hpp>
#include <tenet/tensor/named_array.hpp>

#include "pairs.hpp"

namespace alignment {

class preference_tuner {
public:
    /// `base` is borrowed, and frozen.
    preference_tuner(parameters<gpt> const& base, double beta, std::uint64_t seed);
    ~preference_tuner();

    /// What the reference says of a pair, to be computed once: ln p of the chosen and of the rejected completion.
    struct reference {
        double chosen, rejected;
    };
    struct outcome {
        double loss;
        preference_metrics metrics;
    };
    /// A step of AdamW on the DPO loss.
    outcome step(std::span<encoded_pair const> pairs, std::span<reference const> references, double rate);
    /// The base with the adapter merged into it.
    parameters<gpt> weights() const;
    std::vector<named_array> state();
    /// Trained parameters.
    static std::size_t trained();

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

}  // namespace alignment
