// SPDX-License-Identifier: MIT
// optim: Adam with decoupled weight decay.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include <tenet/kernel/optimizer.hpp>
#include <tenet/optim/optimizer.hpp>

namespace tenet {

/// The numbers of AdamW; the defaults are PyTorch's.
struct adamw_options {
    double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.01;
    /// Which parameters decay; null: all.
    std::function<bool(parameter_leaf const&)> decays = decays_by_role;
};

/// AdamW for model number `Which` of a program. For the gradient g and step t = 1, 2, ...:
/// w -= lr weight_decay w; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
/// w -= lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps).
///
/// Holds m and v of the trained parameters only: frozen ones cost nothing. One pass over memory a step.
/// Loshchilov and Hutter: Decoupled Weight Decay Regularization (2019), algorithm 2. PyTorch: torch.optim.AdamW.
///
///     adamw optimiser(train, {.beta2 = 0.95, .weight_decay = 0.1});    // for model 0
///     adamw<decltype(train), 1> second({});                            // for another model of the program
template <class Program, std::size_t Which = 0>
class adamw : public detail::optimizer_state<Program, Which, 2> {
    using state = detail::optimizer_state<Program, Which, 2>;

public:
    explicit adamw(adamw_options options = {}) : state(options.decays), options_(std::move(options)) {}
    explicit adamw(Program const&, adamw_options options = {}) : adamw(std::move(options)) {}

    /// One step with the gradients that the program left; they are multiplied by `factor` (clipping, accumulation).
    void step(parameters<typename state::model_type, typename state::value_type>& theta, Program const& program,
              double lr, double factor = 1) {
        ++this->steps_;
        kernel::adamw_step p{lr, options_.beta1, options_.beta2, options_.eps, options_.weight_decay, 1, 1, factor};
        p.bias_correction1 = 1 - std::pow(options_.beta1, static_cast<double>(this->steps_));
        p.bias_correction2 = 1 - std::pow(options_.beta2, static_cast<double>(this->steps_));
        auto const* g = program.gradients().data();
        this->for_runs([&](trainable_range const& r, bool decays) {
            p.weight_decay = decays ? options_.weight_decay : 0;
            kernel::adamw(theta.data() + r.parameter, g + r.gradient, this->moments_[0].get() + r.state,
                          this->moments_[1].get() + r.state, r.elements, p);
        });
    }

    /// The state: "step", "m.<parameter>", "v.<parameter>"; borrowed, for `save_checkpoint` and `load_checkpoint`.
    std::vector<named_array> arrays() { return this->state_arrays({"m", "v"}); }

    adamw_options const& options() const { return options_; }

private:
    adamw_options options_;
};

template <class Program>
adamw(Program const&) -> adamw<Program>;
template <class Program>
adamw(Program const&, adamw_options) -> adamw<Program>;

/// Adam: AdamW without weight decay. Kingma and Ba: Adam (2015), algorithm 1. PyTorch:
/// torch.optim.Adam(weight_decay=0).
template <class Program, std::size_t Which = 0>
class adam : public adamw<Program, Which> {
public:
    explicit adam(double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8)
        : adamw<Program, Which>(adamw_options{beta1, beta2, eps, 0, decays_by_role}) {}
    explicit adam(Program const&, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8)
        : adam(beta1, beta2, eps) {}
};

template <class Program>
adam(Program const&) -> adam<Program>;
template <class Program>
adam(Program const&, double, double, double) -> adam<Program>;

}  // namespace tenet
