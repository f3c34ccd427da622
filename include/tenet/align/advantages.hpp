// SPDX-License-Identifier: MIT
// align: how much better a token was than expected: generalised advantage estimation.
#pragma once

#include <span>
#include <type_traits>
#include <vector>

#include <tenet/align/moments.hpp>

namespace tenet {

/// Options of `generalized_advantages`.
struct gae_options {
    double gamma = 1;      ///< discount: 1 for texts, which end
    double lambda = 0.95;  ///< 1: the return less the value; 0: one step ahead
};

/// A_t = delta_t + gamma lambda (1 - done_t) A_{t+1}, delta_t = r_t + gamma (1 - done_t) V_{t+1} - V_t, V_n =
/// last_value (0 after a completion's end). `values[t]` is the value before token t is said. `done` may be empty:
/// nothing ends within the row. Errors: `exception` if the spans differ in length. Schulman et al.: High-Dimensional
/// Continuous Control Using GAE (2016), eq. (16).
template <Numbers Rewards, Numbers Values, Numbers Advantages, Numbers Done = std::span<double const>>
void generalized_advantages(Rewards const& rewards, Values const& values, Advantages&& advantages,
                            gae_options const& o = {}, double last_value = 0, Done const& done = {}) {
    detail::expect_lengths("generalized_advantages: values", rewards.size(), values.size());
    detail::expect_lengths("generalized_advantages: advantages", rewards.size(), advantages.size());
    if (done.size() > 0) detail::expect_lengths("generalized_advantages: done", rewards.size(), done.size());
    double next_value = last_value, next_advantage = 0;
    for (std::size_t t = rewards.size(); t-- > 0;) {
        const double on = done.size() == 0 ? 1 : 1 - static_cast<double>(done.data()[t]);
        const double value = static_cast<double>(values.data()[t]);
        const double delta = static_cast<double>(rewards.data()[t]) + o.gamma * on * next_value - value;
        next_advantage = delta + o.gamma * o.lambda * on * next_advantage;
        next_value = value;
        auto& a = advantages.data()[t];
        a = static_cast<std::remove_cvref_t<decltype(a)>>(next_advantage);
    }
}

/// The same for completions that end: each row by itself, no value after its last token.
template <class T>
token_rows<T> generalized_advantages(token_rows<T> const& rewards, token_rows<T> const& values,
                                     gae_options const& o = {}) {
    detail::expect_lengths("generalized_advantages: rows", rewards.rows(), values.rows());
    token_rows<T> all;
    for (std::size_t i = 0; i < rewards.rows(); ++i) {
        std::vector<T> row(rewards.length(i));
        generalized_advantages(rewards[i], values[i], row, o);
        all.push_back(row);
    }
    return all;
}

/// returns = advantages + values: what values are trained towards. Before the advantages are whitened.
template <class T>
token_rows<T> returns_of(token_rows<T> const& advantages, token_rows<T> const& values) {
    token_rows<T> all = advantages;
    detail::expect_lengths("returns_of", all.flat().size(), values.flat().size());
    for (std::size_t i = 0; i < all.flat().size(); ++i) all.flat()[i] += values.flat()[i];
    return all;
}

}  // namespace tenet
