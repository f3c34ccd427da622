// SPDX-License-Identifier: MIT
// One way to train, behind a plain interface: each of the factories below is a file of its own, which alone compiles
// its program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model.hpp"

namespace adaptation {

/// What a method costs; constants of its program.
struct tuner_costs {
    std::size_t trained = 0;      ///< parameters
    std::size_t weights = 0;      ///< bytes of the base as it is stored, and of the adapter
    std::size_t optimizer = 0;    ///< bytes of gradients and moments
    std::size_t activations = 0;  ///< bytes of a step's intermediate values
};

struct step_outcome {
    double loss, gradient_norm;
};

class tuner {
public:
    virtual ~tuner() = default;

    virtual tuner_costs costs() const = 0;
    /// One step of AdamW on the mean gradient over the tokens of all batches.
    virtual step_outcome step(std::span<rows const> batches, double rate, double clip) = 0;
    /// The loss of a batch as training computes it.
    virtual double loss(rows const& batch) = 0;
    /// The model that has been trained, as plain weights: of an adapter, merged.
    virtual parameters<model> weights() const = 0;
    /// All that changes while it is trained, borrowed, for checkpoints.
    virtual std::vector<named_array> state() = 0;
    /// Writes what was trained: adapters as PEFT's folder, a model as a file of GPT-2.
    virtual void save(std::filesystem::path const& folder) = 0;
};

using tuner_factory = std::unique_ptr<tuner> (*)(parameters<model> const& base, std::uint64_t seed);

/// All parameters of a copy of the base.
std::unique_ptr<tuner> full(parameters<model> const& base, std::uint64_t seed);
/// Low-rank adapters; the base is borrowed and frozen.
std::unique_ptr<tuner> lora_4(parameters<model> const& base, std::uint64_t seed);
std::unique_ptr<tuner> lora_16(parameters<model> const& base, std::uint64_t seed);
/// The same on a copy of the base in 4 and 8 bits.
std::unique_ptr<tuner> qlora_nf4(parameters<model> const& base, std::uint64_t seed);
std::unique_ptr<tuner> qlora_int8(parameters<model> const& base, std::uint64_t seed);

/// Mean losses of rows under plain weights.
class evaluator {
public:
    evaluator();
    ~evaluator();
    /// Weighted by the rows' trained tokens. Rows are read in batches.
    double loss(parameters<model> const& theta, std::span<rows const> batches);

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

}  // namespace adaptation
