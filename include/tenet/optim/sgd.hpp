// SPDX-License-Identifier: MIT
// optim: gradient descent, with momentum if wanted.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include <tenet/kernel/optimizer.hpp>
#include <tenet/optim/optimizer.hpp>

namespace tenet {

/// The numbers of gradient descent; the defaults are PyTorch's.
struct sgd_options {
    double momentum = 0, weight_decay = 0;
    bool nesterov = false;
    /// Which parameters decay; null: all.
    std::function<bool(parameter_leaf const&)> decays = decays_by_role;
};

/// Gradient descent for model number `Which` of a program: g' = g + weight_decay w; u = momentum u + g';
/// w -= lr (nesterov ? g' + momentum u : u).
///
/// Sutskever et al.: On the importance of initialization and momentum in deep learning (2013). PyTorch:
/// torch.optim.SGD.
template <class Program, std::size_t Which = 0>
class sgd : public detail::optimizer_state<Program, Which, 1> {
    using state = detail::optimizer_state<Program, Which, 1>;

public:
    explicit sgd(sgd_options options = {}) : state(options.decays), options_(std::move(options)) {}
    explicit sgd(Program const&, sgd_options options = {}) : sgd(std::move(options)) {}

    /// One step with the gradients that the program left; they are multiplied by `factor` (clipping, accumulation).
    void step(parameters<typename state::model_type, typename state::value_type>& theta, Program const& program,
              double lr, double factor = 1) {
        ++this->steps_;
        auto const* g = program.gradients().data();
        this->for_runs([&](trainable_range const& r, bool decays) {
            auto* velocity = options_.momentum != 0 ? this->moments_[0].get() + r.state : nullptr;
            kernel::sgd_momentum(theta.data() + r.parameter, g + r.gradient, velocity, r.elements, lr,
                                 options_.momentum, options_.nesterov, decays ? options_.weight_decay : 0, factor);
        });
    }

    /// The state: "step", "u.<parameter>"; borrowed, for `save_checkpoint` and `load_checkpoint`.
    std::vector<named_array> arrays() { return this->state_arrays({"u"}); }

    sgd_options const& options() const { return options_; }

private:
    sgd_options options_;
};

template <class Program>
sgd(Program const&) -> sgd<Program>;
template <class Program>
sgd(Program const&, sgd_options) -> sgd<Program>;

}  // namespace tenet
