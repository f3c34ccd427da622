// SPDX-License-Identifier: MIT
// align: advantages without a value function, from several completions of one prompt: each is judged beside the others.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <tenet/align/moments.hpp>

namespace tenet {
namespace detail {

inline void expect_groups(char const* place, std::size_t scores, std::size_t group) {
    if (group < 2) fail_expectation(place, "at least two completions a prompt", std::to_string(group));
    if (scores == 0 || scores % group != 0)
        fail_expectation(place, "whole groups of " + std::to_string(group) + " completions", std::to_string(scores));
}

}  // namespace detail

/// A_i = s_i - mean of the other scores of its prompt; the completions of a prompt stand together, `group` of each.
/// Unbiased, as its baseline does not depend on completion i. Kool et al. (2019); Ahmadian et al.: Back to Basics
/// (2024), section 3.2 (RLOO).
template <Numbers Scores>
std::vector<double> leave_one_out_advantages(Scores const& scores, std::size_t group) {
    detail::expect_groups("leave_one_out_advantages", scores.size(), group);
    std::vector<double> all(scores.size());
    for (std::size_t i = 0; i < scores.size(); i += group) {
        const double mean = mean_of(std::span(scores.data() + i, group));
        const double n = static_cast<double>(group);
        for (std::size_t k = i; k < i + group; ++k)
            all[k] = (static_cast<double>(scores.data()[k]) - mean) * n / (n - 1);
    }
    return all;
}

/// Options of `group_relative_advantages`.
struct group_relative_options {
    bool divide_by_deviation =
        true;  ///< false: Dr. GRPO (Liu et al. 2025), which does not favour easy and hard prompts
    variance_kind variance = variance_kind::sample;  ///< as PyTorch's std and TRL
    double epsilon = 1e-4;                           ///< added to the deviation, as in TRL
};

/// A_i = (s_i - mean) / (std + eps) of its prompt's scores. Shao et al.: DeepSeekMath (2024), section 4.1.2 (GRPO).
template <Numbers Scores>
std::vector<double> group_relative_advantages(Scores const& scores, std::size_t group,
                                              group_relative_options const& o = {}) {
    detail::expect_groups("group_relative_advantages", scores.size(), group);
    std::vector<double> all(scores.size());
    for (std::size_t i = 0; i < scores.size(); i += group) {
        const auto some = std::span(scores.data() + i, group);
        const double mean = mean_of(some);
        const double scale = o.divide_by_deviation ? 1 / (std::sqrt(variance_of(some, o.variance)) + o.epsilon) : 1;
        for (std::size_t k = i; k < i + group; ++k) all[k] = (static_cast<double>(scores.data()[k]) - mean) * scale;
    }
    return all;
}

}  // namespace tenet
