// SPDX-License-Identifier: MIT
// optim: one step of an optimiser from several batches, for batches that do not fit at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include <tenet/base/exception.hpp>
#include <tenet/kernel/optimizer.hpp>
#include <tenet/tensor/memory.hpp>

namespace tenet {

/// The weighted mean of the gradients and losses of several runs of a program.
///
///     gradient_accumulator sum(train);
///     for (auto const& b : micro_batches) sum.add(train, train.value_and_grad(theta, b.x, b.y), b.y.count());
///     const double loss = sum.take(train);                        // train.gradients() is now the mean
///     optimiser.step(theta, train, lr, clip_factor(gradient_norm(train), 1));
///
/// With the number of trained tokens as weights the result is that of one large batch whose loss is a mean over tokens;
/// with equal weights a short batch would count as much as a long one. Batches are added in the order of the calls, so
/// that the result does not depend on threads. Holds as much memory as the gradients; a pass over them a batch.
/// PyTorch: loss.backward() several times before optimizer.step().
template <class Program>
class gradient_accumulator {
    using T = typename Program::real_type;
    static_assert(Program::has_gradients, "gradient_accumulator: a program with gradients is needed: program<...>");

public:
    gradient_accumulator() : sum_(allocate<T>(Program::gradient_elements)) {}
    explicit gradient_accumulator(Program const&) : gradient_accumulator() {}

    /// Adds `weight` times the gradients that the program left, and its loss. A batch of weight 0 counts for nothing,
    /// whatever its loss is. Errors: `exception` for a weight below 0.
    void add(Program const& program, double loss, double weight = 1) {
        if (!(weight >= 0))
            fail_expectation("gradient_accumulator::add", "a weight of 0 or more", std::to_string(weight));
        if (weight == 0) return;
        kernel::add_scaled<T>(sum_.get(), program.gradients().data(), Program::gradient_elements,
                              static_cast<T>(weight));
        loss_ += weight * loss;
        weight_ += weight;
    }

    /// Writes the mean into the program's gradients, returns that of the losses, and starts anew.
    /// Errors: `exception` if nothing was added.
    double take(Program& program) {
        if (!(weight_ > 0)) fail_expectation("gradient_accumulator::take", "at least one batch to be added", "none");
        T* const g = program.gradients().data();
        kernel::copy_scaled<T>(g, sum_.get(), Program::gradient_elements, static_cast<T>(1 / weight_));
        std::fill_n(sum_.get(), Program::gradient_elements, T(0));
        const double mean = loss_ / weight_;
        loss_ = weight_ = 0;
        return mean;
    }

    /// The sum of the weights so far.
    double weight() const { return weight_; }

private:
    aligned_array<T> sum_;
    double loss_ = 0, weight_ = 0;
};

}  // namespace tenet
