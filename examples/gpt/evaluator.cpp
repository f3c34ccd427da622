// SPDX-License-Identifier: MIT
#include "evaluator.hpp"

#include <algorithm>

#include <tenet/data/token_windows.hpp>

namespace gpt {

using forward_step = evaluation<model, loss_and_logits, tokens<Batch, Time>, tokens<Batch, Time>, values<Vocab>>;

struct evaluator::implementation {
    std::size_t classes;
    tensor<float, Vocab> mask = mask_of(classes);
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

evaluator::evaluator(std::size_t classes) : implementation_(new implementation{classes}) {}
evaluator::~evaluator() = default;

double evaluator::mean_loss(parameters<model> const& theta, std::span<std::int32_t const> text) {
    auto& [classes, mask, run, inputs, targets] = *implementation_;
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

std::vector<float> evaluator::next_logits(parameters<model> const& theta, std::span<std::int32_t const> context) {
    auto& [classes, mask, run, inputs, targets] = *implementation_;
    if (context.empty()) fail_expectation("evaluator::next_logits", "at least one token of context", "none");
    const std::span<std::int32_t const> seen = context.last(std::min<std::size_t>(context.size(), Time::capacity));
    implementation_->set_rows(1);
    // What stands behind the context is not seen by it: attention is causal.
    inputs.fill(0);
    targets.fill(0);
    std::copy(seen.begin(), seen.end(), inputs.begin());
    run(theta, inputs, targets, mask);
    const auto logits = run.template result<1>();
    float const* const last = logits.data() + (seen.size() - 1) * Vocab::capacity;
    return {last, last + classes};
}

}  // namespace gpt
