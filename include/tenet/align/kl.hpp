// SPDX-License-Identifier: MIT
// align: how far a policy is from its reference, from the log-probabilities of sampled tokens, and what that costs.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include <tenet/base/exception.hpp>

namespace tenet {

/// Estimates of KL(policy || reference) from one token that the policy said; d = ln reference - ln policy.
/// Schulman: Approximating KL Divergence (2020), joschu.net/blog/kl-approx.html.
enum class kl_kind {
    k1,  ///< -d: unbiased, may be negative
    k2,  ///< d^2 / 2: biased, never negative
    k3   ///< e^d - 1 - d: unbiased, never negative
};

/// The estimate for one token. Its mean over tokens that were sampled from the policy itself estimates the divergence;
/// if they were sampled otherwise (top-k, a temperature that was forgotten, an older policy) even k1's mean can be
/// negative.
inline double kl_estimate(kl_kind kind, double policy, double reference) {
    const double d = reference - policy;
    switch (kind) {
    case kl_kind::k1: return -d;
    case kl_kind::k2: return d * d / 2;
    default: return std::expm1(d) - d;
    }
}

/// What a unit of divergence costs, always the same.
class fixed_kl_coefficient {
public:
    explicit fixed_kl_coefficient(double value) : value_(value) {
        if (!(value >= 0)) fail_expectation("fixed_kl_coefficient", "a coefficient >= 0", std::to_string(value));
    }
    double value() const { return value_; }
    void update(double, std::size_t) {}

private:
    double value_;
};

/// A coefficient that is steered so that the divergence of whole completions comes to be `target`:
/// e = clip(kl / target - 1, -0.2, 0.2), coefficient *= 1 + e n / horizon for n completions, and not below `least`.
/// The divergence of a policy that begins as its reference is far below any target: unless `least` says otherwise, the
/// coefficient sinks until the target is reached, and is too small to hold it there.
/// Ziegler et al.: Fine-Tuning Language Models from Human Preferences (2019), section 2.2; lm-human-preferences,
/// train_policy.py, `AdaptiveKLController`.
class adaptive_kl_coefficient {
public:
    explicit adaptive_kl_coefficient(double initial = 0.2, double target = 6, double horizon = 10000, double least = 0)
        : value_(initial), target_(target), horizon_(horizon), least_(least) {
        if (!(initial > 0) || !(target > 0) || !(horizon > 0))
            fail_expectation("adaptive_kl_coefficient", "positive numbers",
                             std::to_string(initial) + ", " + std::to_string(target) + ", " + std::to_string(horizon));
        if (!(least >= 0 && least <= initial))
            fail_expectation("adaptive_kl_coefficient", "a least value from 0 to " + std::to_string(initial),
                             std::to_string(least));
    }
    double value() const { return value_; }
    void update(double kl, std::size_t completions) {
        const double error = std::clamp(kl / target_ - 1, -0.2, 0.2);
        value_ = std::max(least_, value_ * (1 + error * static_cast<double>(completions) / horizon_));
    }

private:
    double value_, target_, horizon_, least_;
};

}  // namespace tenet
