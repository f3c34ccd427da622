// SPDX-License-Identifier: MIT
// align: means, variances and what is made of them: whitening, explained variance. In order, so that sums are the same
// on any machine with the same rounding.
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include <tenet/align/token_rows.hpp>

namespace tenet {

/// Which divisor a variance has: n, or n - 1 (Bessel's correction).
enum class variance_kind { population, sample };

template <Numbers X>
double mean_of(X const& x) {
    if (x.size() == 0) fail_expectation("mean_of", "at least one number", "none");
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(x.data()[i]);
    return sum / static_cast<double>(x.size());
}

/// The mean squared distance from the mean, in two passes. PyTorch: torch.var(correction=0 or 1).
template <Numbers X>
double variance_of(X const& x, variance_kind kind = variance_kind::population) {
    const double mean = mean_of(x);
    const std::size_t divisor = kind == variance_kind::sample ? x.size() - 1 : x.size();
    if (divisor == 0) fail_expectation("variance_of", "at least two numbers for a sample variance", "one");
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double d = static_cast<double>(x.data()[i]) - mean;
        sum += d * d;
    }
    return sum / static_cast<double>(divisor);
}

/// Options of `whiten`.
struct whiten_options {
    bool shift_mean = true;  ///< false keeps the mean where it was: for rewards, whose sign means something
    variance_kind variance = variance_kind::population;  ///< TRL: sample
    double epsilon = 1e-8;
    bool epsilon_in_root = false;  ///< divide by sqrt(var + eps) (lm-human-preferences) and not by sqrt(var) + eps
};

/// x becomes (x - mean) / (std + eps), of all numbers together. Sources: Andrychowicz et al. (2021), C67;
/// lm-human-preferences, core.py, `whiten`.
template <Numbers X>
void whiten(X&& x, whiten_options const& o = {}) {
    const double mean = mean_of(x), variance = variance_of(x, o.variance);
    const double scale =
        o.epsilon_in_root ? 1 / std::sqrt(variance + o.epsilon) : 1 / (std::sqrt(variance) + o.epsilon);
    for (std::size_t i = 0; i < x.size(); ++i) {
        auto& v = x.data()[i];
        v = static_cast<std::remove_cvref_t<decltype(v)>>((static_cast<double>(v) - mean) * scale +
                                                          (o.shift_mean ? 0 : mean));
    }
}

/// 1 - var(returns - values) / var(returns): 1 for values that foresee everything, 0 for a constant, negative for
/// worse. NaN if all returns are equal, where it is not defined.
template <Numbers Values, Numbers Returns>
double explained_variance(Values const& values, Returns const& returns) {
    detail::expect_lengths("explained_variance", returns.size(), values.size());
    std::vector<double> left(returns.size());
    for (std::size_t i = 0; i < left.size(); ++i)
        left[i] = static_cast<double>(returns.data()[i]) - static_cast<double>(values.data()[i]);
    const double all = variance_of(returns);
    return all > 0 ? 1 - variance_of(left) / all : std::nan("");
}

}  // namespace tenet
