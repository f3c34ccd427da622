// SPDX-License-Identifier: MIT
// align: SimPO, preference optimisation without a reference: the reward is the average log-probability of a token, so
// that it is what generation follows, and length earns nothing.
#pragma once

#include <string>

#include <tenet/align/operand_axes.hpp>
#include <tenet/base/exception.hpp>
#include <tenet/op/activation.hpp>
#include <tenet/op/reduce.hpp>

namespace tenet {

/// Options of `simpo_loss`; the defaults are the paper's middle values (TRL: beta 0.1, gamma 0.5).
struct simpo_options {
    double beta = 2;             ///< scale of the reward; 2 to 2.5
    double gamma = 1;            ///< the margin that the chosen reward is to have; 0.3 to 1.6
    double label_smoothing = 0;  ///< e, as in cDPO
};

namespace detail {
struct simpo;
}

/// loss = mean over `Row...` of -(1-e) ln s(g) - e ln s(-g), g = beta (chosen - rejected) - gamma; operands are average
/// log-probabilities a token (`average_log_probability`), [Row...]. Meng et al.: SimPO (2024), eq. (6).
/// TRL: CPOTrainer(loss_type="simpo", cpo_alpha=0), whose simpo_gamma is gamma.
template <class... Row, Operand Chosen, Operand Rejected>
constexpr auto simpo_loss(Chosen const& chosen, Rejected const& rejected, simpo_options o = {}) {
    if constexpr (!detail::operands_fit<detail::simpo, axes<Row...>, Chosen, Rejected>) {
        return poison{};
    } else {
        if (!(o.beta > 0)) fail_expectation("simpo_loss", "beta > 0", std::to_string(o.beta));
        if (!(o.label_smoothing >= 0 && o.label_smoothing < 0.5))
            fail_expectation("simpo_loss", "label_smoothing in [0, 0.5)", std::to_string(o.label_smoothing));
        const auto g = o.beta * (chosen - rejected) - o.gamma;
        return -mean<Row...>((1 - o.label_smoothing) * log_sigmoid(g) + o.label_smoothing * log_sigmoid(-g));
    }
}

}  // namespace tenet
