// SPDX-License-Identifier: MIT
#include "evaluator.hpp"

#include <algorithm>

#include <tenet/data/token_windows.hpp>

namespace gpt {

using forward_step = evaluation<model, next_token_loss, tokens<Batch, Time>, tokens<Batch, Time>, values<Vocab>>;

struct evaluator::implementation {
    tensor<float, Vocab> mask;
    forward_step run{};
    tensor<std::int32_t, Batch, Time> inputs{}, targets{};

    void set_rows(std::size_t rows) {
        inputs.set_extent<Batch>(rows);
        targets.set_extent<Batch>(rows);
    }
};

tensor<float, Vocab> mask_of(std::size_t classes) {
    tensor<float, Vocab> mask;
    std::fill(mask.begin() + classes, mask.end(), -1e30f);
    return mask;
}

evaluator::evaluator(std::size_t classes) : implementation_(new implementation{mask_of(classes)}) {}
evaluator::~evaluator() = default;

double evaluator::mean_loss(parameters<model> const& theta, std::span<std::int32_t const> text) {
    auto& [mask, run, inputs, targets] = *implementation_;
    const token_windows windows(text, Time::capacity);
    double sum = 0;
    for (std::size_t batch = 0; batch < windows.evaluation_batches(Batch::capacity); ++batch) {
        implementation_->set_rows(Batch::capacity);
        const std::size_t rows =
            windows.evaluation_batch(batch, {inputs.data(), inputs.size()}, {targets.data(), targets.size()});
        implementation_->set_rows(rows);
        sum += static_cast<double>(run(theta, inputs, targets, mask)) * static_cast<double>(rows);
    }
    return sum / static_cast<double>(windows.evaluation_windows());
}

}  // namespace gpt
