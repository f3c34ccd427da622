// SPDX-License-Identifier: MIT
#include "tuner.hpp"

namespace adaptation {

struct evaluator::implementation {
    evaluation<model, full_loss, tokens<Batch, Time>, tokens<Time>, completions<Batch, Time>> run;
    places positions = all_places();
};

evaluator::evaluator() : implementation_(new implementation) {}
evaluator::~evaluator() = default;

double evaluator::loss(parameters<model> const& theta, std::span<rows const> batches) {
    double sum = 0, count = 0;
    for (rows const& batch : batches) {
        const auto trained = static_cast<double>(batch.targets().count());
        if (trained == 0) continue;
        sum += trained * static_cast<double>(
                             implementation_->run(theta, batch.tokens(), implementation_->positions, batch.targets()));
        count += trained;
    }
    return sum / count;
}

}  // namespace adaptation
