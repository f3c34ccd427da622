// SPDX-License-Identifier: MIT
// generate: the choice of the next token from its logits. What is drawn is a function of the logits, the options, the
// tokens so far and one uniform number, which makes text reproducible.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <tenet/base/exception.hpp>

namespace tenet {

/// How the next token is chosen. The defaults draw from the model's own distribution.
struct sampling_options {
    double temperature = 1;         ///< logits are divided by it; 0: always the likeliest token
    std::size_t top_k = 0;          ///< only the k likeliest tokens (and what equals the last of them); 0: all
    double top_p = 1;               ///< only the fewest likeliest tokens whose probabilities reach it; 1: all
    double min_p = 0;               ///< only tokens at least so likely, relative to the likeliest; 0: all
    double repetition_penalty = 1;  ///< logits of tokens that occurred: divided by it if positive, else multiplied

    /// Throws `exception` if a number is outside of its range.
    void check() const {
        const auto expect = [](bool good, char const* what, char const* range, double found) {
            if (!good) fail_expectation(what, range, std::to_string(found));
        };
        expect(temperature >= 0 && std::isfinite(temperature), "temperature", "0 or more", temperature);
        expect(top_p > 0 && top_p <= 1, "top_p", "more than 0, at most 1", top_p);
        expect(min_p >= 0 && min_p <= 1, "min_p", "0 to 1", min_p);
        expect(repetition_penalty > 0 && std::isfinite(repetition_penalty), "repetition_penalty", "more than 0",
               repetition_penalty);
    }
};

/// Chooses tokens; keeps its memory between calls.
///
/// The steps and their order are those of transformers' `generate`: repetition penalty, temperature, top-k, top-p,
/// min-p; top-p looks at the probabilities of what top-k left, and at least one token remains. Of equal logits the
/// lower id comes first. Keskar et al.: CTRL (2019), section 4.1 (penalty); Holtzman et al.: The Curious Case of Neural
/// Text Degeneration (2020) (top-p); Nguyen et al.: Turning Up the Heat (2024) (min-p).
class token_sampler {
public:
    /// The token at the place `u` in [0, 1) of the distribution; `history` are the tokens so far, which the repetition
    /// penalty looks at. Errors: `exception` if no logit is finite, or one is a NaN. Cost: a pass over the logits; with
    /// top-p also a sort of what it keeps.
    std::int32_t operator()(std::span<float const> logits, sampling_options const& options,
                            std::span<std::int32_t const> history, double u) {
        options.check();
        scores_.assign(logits.begin(), logits.end());
        penalise(options.repetition_penalty, history);
        const std::size_t best = likeliest();
        if (options.temperature == 0) return static_cast<std::int32_t>(best);
        collect(options.top_k);
        weigh(static_cast<double>(scores_[best]), options.temperature);
        cut(options.top_p, options.min_p);
        return draw(u);
    }

private:
    struct candidate {
        std::uint32_t id;
        float score;
        double weight;
    };
    std::vector<float> scores_, sorted_;
    std::vector<char> seen_;
    std::vector<candidate> candidates_;

    void penalise(double penalty, std::span<std::int32_t const> history) {
        if (penalty == 1) return;
        seen_.assign(scores_.size(), 0);
        for (std::int32_t id : history) {
            const auto i = static_cast<std::size_t>(id);
            if (i >= scores_.size() || seen_[i] != 0) continue;
            seen_[i] = 1;
            const double s = static_cast<double>(scores_[i]);
            scores_[i] = static_cast<float>(s < 0 ? s * penalty : s / penalty);
        }
    }

    std::size_t likeliest() const {
        std::size_t best = 0;
        bool numbers = true;
        for (std::size_t i = 0; i < scores_.size(); ++i) {
            numbers = numbers && scores_[i] == scores_[i];
            if (scores_[i] > scores_[best]) best = i;
        }
        if (scores_.empty() || !numbers || !std::isfinite(scores_[best]))
            fail_expectation("logits of the next token", "numbers, the greatest of them finite",
                             scores_.empty() ? "none"
                             : numbers       ? std::to_string(scores_[best])
                                             : "NaN");
        return best;
    }

    void collect(std::size_t top_k) {
        float least = -std::numeric_limits<float>::infinity();
        if (top_k > 0 && top_k < scores_.size()) {
            sorted_ = scores_;
            const auto kth = sorted_.begin() + static_cast<std::ptrdiff_t>(top_k - 1);
            std::nth_element(sorted_.begin(), kth, sorted_.end(), std::greater<>());
            least = *kth;
        }
        candidates_.clear();
        for (std::size_t i = 0; i < scores_.size(); ++i)
            if (scores_[i] >= least) candidates_.push_back({static_cast<std::uint32_t>(i), scores_[i], 0});
    }

    void weigh(double best, double temperature) {
        for (candidate& c : candidates_) c.weight = std::exp((static_cast<double>(c.score) - best) / temperature);
    }

    // Both cuts leave the first of the sorted candidates, so that each may be made without the other.
    void cut(double top_p, double min_p) {
        const double all = total();
        if (min_p > 0) std::erase_if(candidates_, [&](candidate const& c) { return c.weight < min_p; });
        if (top_p >= 1) return;
        const auto before = [](candidate const& a, candidate const& b) {
            return a.score != b.score ? a.score > b.score : a.id < b.id;
        };
        // The order is only needed as far as it is kept: sorted part by part.
        double sum = 0;
        std::size_t kept = 0, sorted = 0;
        while (kept < candidates_.size() && (kept == 0 || sum < top_p * all)) {
            if (kept == sorted) {
                const std::size_t end = std::min(candidates_.size(), std::max<std::size_t>(64, 8 * sorted));
                const auto at = [&](std::size_t i) { return candidates_.begin() + static_cast<std::ptrdiff_t>(i); };
                std::nth_element(at(sorted), at(end - 1), candidates_.end(), before);
                std::sort(at(sorted), at(end), before);
                sorted = end;
            }
            sum += candidates_[kept++].weight;
        }
        candidates_.resize(kept);
    }

    double total() const {
        return std::accumulate(candidates_.begin(), candidates_.end(), 0.0,
                               [](double sum, candidate const& c) { return sum + c.weight; });
    }

    std::int32_t draw(double u) const {
        double left = u * total();
        std::uint32_t last = candidates_.front().id;
        for (candidate const& c : candidates_) {
            if (c.weight <= 0) continue;
            last = c.id;
            if ((left -= c.weight) < 0) break;
        }
        return static_cast<std::int32_t>(last);
    }
};

/// One choice by a `token_sampler` of its own.
inline std::int32_t sample_token(std::span<float const> logits, sampling_options const& options,
                                 std::span<std::int32_t const> history, double u) {
    return token_sampler{}(logits, options, history, u);
}

}  // namespace tenet
