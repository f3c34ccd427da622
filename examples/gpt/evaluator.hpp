// SPDX-License-Identifier: MIT
// Loss of a text and logits of the next token, behind a plain interface: only evaluator.cpp compiles the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tenet/text/char_tokenizer.hpp>

#include "commands.hpp"
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

    /// The logits of the token after `context`, of which the last `Time` tokens count; one for each class.
    std::vector<float> next_logits(parameters<model> const& theta, std::span<std::int32_t const> context);

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

/// Text from a model in memory: what `gpt sample` prints.
std::string write_text(evaluator& evaluate, parameters<model> const& theta, char_tokenizer const& tokenizer,
                       sample_options const& options);

}  // namespace gpt
