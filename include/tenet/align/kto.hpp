// SPDX-License-Identifier: MIT
// align: KTO, preference optimisation from single completions that are called good or bad: no pairs are needed.
#pragma once

#include <string>

#include <tenet/align/operand_axes.hpp>
#include <tenet/base/exception.hpp>
#include <tenet/op/activation.hpp>
#include <tenet/op/cast.hpp>
#include <tenet/op/comparison.hpp>
#include <tenet/op/reduce.hpp>

namespace tenet {

/// Options of `kto_loss`. The paper advises weights for which (desirable weight x their number) is 1 to 4/3 times
/// (undesirable weight x theirs).
struct kto_options {
    double beta = 0.1;
    double desirable_weight = 1, undesirable_weight = 1;
};

namespace detail {
struct kto;
}

/// The reference point of `kto_loss`: max(0, mean over `Row...` of policy - reference) on mismatched completions (those
/// of the next row for this row's prompt): an estimate of KL(policy || reference). No gradient.
template <class... Row, Operand Policy, Operand Reference>
constexpr auto kto_reference_point(Policy const& policy, Reference const& reference) {
    if constexpr (!detail::operands_fit<detail::kto, axes<Row...>, Policy, Reference>) return poison{};
    else return stop_gradient(relu(mean<Row...>(policy - reference)));
}

/// loss = mean over `Row...` of w (1 - s(beta (r - z))) for desirable completions, w' (1 - s(beta (z - r))) for the
/// others; r = policy - reference, summed log-probabilities [Row...]; `desirable` a mask [Row...]; z the reference
/// point, a scalar. Ethayarajh et al.: KTO (2024), eq. (8). TRL: KTOTrainer.
template <class... Row, Operand Policy, Operand Reference, Operand Desirable, Operand Point>
constexpr auto kto_loss(Policy const& policy, Reference const& reference, Desirable const& desirable,
                        Point const& reference_point, kto_options o = {}) {
    if constexpr (!detail::operands_fit<detail::kto, axes<Row...>, Policy, Reference, Desirable> ||
                  !detail::operands_fit<detail::kto, axes<>, Point>) {
        return poison{};
    } else {
        if (!(o.beta > 0)) fail_expectation("kto_loss", "beta > 0", std::to_string(o.beta));
        if (!(o.desirable_weight >= 0) || !(o.undesirable_weight >= 0))
            fail_expectation("kto_loss", "weights >= 0",
                             std::to_string(o.desirable_weight) + " and " + std::to_string(o.undesirable_weight));
        const auto gain = o.beta * (policy - stop_gradient(reference) - stop_gradient(reference_point));
        // 1 - s(x) = s(-x)
        return mean<Row...>(
            where(desirable, o.desirable_weight * sigmoid(-gain), o.undesirable_weight * sigmoid(gain)));
    }
}

}  // namespace tenet
