// SPDX-License-Identifier: MIT
// align: ORPO, fine-tuning and preference in one loss, without a reference: odds of the chosen over the rejected.
#pragma once

#include <string>

#include <tenet/align/operand_axes.hpp>
#include <tenet/base/exception.hpp>
#include <tenet/op/activation.hpp>
#include <tenet/op/exponential.hpp>
#include <tenet/op/reduce.hpp>

namespace tenet {
namespace op {

// ln(1 - e^x) for x < 0, by the branch that does not cancel (Maechler 2012).
struct log1mexp_op {
    static constexpr std::string_view name = "log1mexp";
    static constexpr double flops = 30;
    template <class B>
    static B forward(B x) {
        using T = typename B::value_type;
        return simd::select(x > B(T(-0.6931471805599453)), simd::log(-simd::expm1(x)), simd::log1p(-simd::exp(x)));
    }
    static constexpr graph::value pullback(graph::value dy, graph::value, graph::value x) {
        // -e^x / (1 - e^x)
        return -dy / graph::elementwise(graph::info_of<expm1_op>, {-x});
    }
};

}  // namespace op

/// y = ln(1 - e^x) for x < 0, exact near 0 and far below; -inf at 0, NaN above. dx = -dy / (e^-x - 1).
template <Operand X>
constexpr auto log1mexp(X&& x) {
    return elementwise<op::log1mexp_op>(std::forward<X>(x));
}

/// Options of `orpo_loss`.
struct orpo_options {
    double beta = 0.1;  ///< lambda in the paper: the weight of the odds-ratio term
};

namespace detail {
struct orpo;
}

/// y = ln(p / (1 - p)) of p = e^x, x < 0 an average log-probability a token. Hong et al. (2024), eq. (4).
template <Operand X>
constexpr auto log_odds(X const& x) {
    return x - log1mexp(x);
}

/// loss = nll - beta mean over `Row...` of ln s(log_odds(chosen) - log_odds(rejected)); chosen and rejected are average
/// log-probabilities a token, [Row...]; `nll` is the scalar loss of fine-tuning on the chosen: in the paper over the
/// completions (`completion_cross_entropy`); TRL's code takes it over prompt and completion.
/// Hong et al.: ORPO (2024), eq. (6), (7). TRL: ORPOTrainer.
template <class... Row, Operand Chosen, Operand Rejected, Operand Nll>
constexpr auto orpo_loss(Chosen const& chosen, Rejected const& rejected, Nll const& nll, orpo_options o = {}) {
    if constexpr (!detail::operands_fit<detail::orpo, axes<Row...>, Chosen, Rejected> ||
                  !detail::operands_fit<detail::orpo, axes<>, Nll>) {
        return poison{};
    } else {
        if (!(o.beta > 0)) fail_expectation("orpo_loss", "beta > 0", std::to_string(o.beta));
        return nll - o.beta * mean<Row...>(log_sigmoid(log_odds(chosen) - log_odds(rejected)));
    }
}

}  // namespace tenet
