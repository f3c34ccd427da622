// SPDX-License-Identifier: MIT
// The loss of a text, behind a plain interface: only evaluator.cpp compiles the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "model.hpp"

namespace gpt {

/// 0 for the first `classes` entries, very negative for the rest: the padding of the vocabulary gets no probability.
tensor<float, Vocab> mask_of(std::size_t classes);

class evaluator {
public:
    explicit evaluator(std::size_t classes);
    ~evaluator();

    /// The mean loss over all of the text's windows, side by side. Throws if the text is shorter than one.
    double mean_loss(parameters<model> const& theta, std::span<std::int32_t const> text);

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

}  // namespace gpt
