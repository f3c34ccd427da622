// SPDX-License-Identifier: MIT
// optim: gradient clipping by the global norm. Nothing is scaled in memory: the factor goes into the optimiser's step.
#pragma once

#include <cmath>
#include <span>

#include <tenet/kernel/optimizer.hpp>

namespace tenet {

/// The Euclidean norm of all of a program's gradients; the same for any number of threads.
///
/// Cost: one pass over them. PyTorch: what torch.nn.utils.clip_grad_norm_ returns.
template <class Program>
requires requires(Program const& p) { p.gradients(); }
double gradient_norm(Program const& program) {
    const auto g = program.gradients();
    return std::sqrt(kernel::sum_of_squares(g.data(), g.size()));
}

/// min(1, limit / (norm + 1e-6)): what gradients of the norm `norm` are multiplied by so that it stays below `limit`.
///
/// A limit of 0 or less means none. PyTorch: torch.nn.utils.clip_grad_norm_.
///
///     optimiser.step(theta, train, lr, clip_factor(gradient_norm(train), 1.0));
constexpr double clip_factor(double norm, double limit) {
    if (!(limit > 0)) return 1;
    const double factor = limit / (norm + 1e-6);
    return factor < 1 ? factor : 1;
}

}  // namespace tenet
