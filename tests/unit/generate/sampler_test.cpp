// SPDX-License-Identifier: MIT
// The choice of a token: against a plain implementation of transformers' steps, and at its edges.
#define BOOST_TEST_MODULE generate_sampler
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>

#include <tenet/generate/sampler.hpp>
#include <tenet/generate/stop_sequences.hpp>

using namespace tenet;

namespace {

using ids = std::vector<std::int32_t>;

// transformers' processors one after the other, over whole arrays, as their source has them.
std::vector<double> probabilities(std::vector<double> scores, sampling_options const& o, ids const& history) {
    constexpr double gone = -std::numeric_limits<double>::infinity();
    std::map<std::int32_t, bool> seen;
    for (std::int32_t id : history) seen[id] = true;
    for (auto const& [id, yes] : seen) {
        double& s = scores[static_cast<std::size_t>(id)];
        s = s < 0 ? s * o.repetition_penalty : s / o.repetition_penalty;
    }
    for (double& s : scores) s /= o.temperature;
    if (o.top_k > 0) {
        std::vector<double> sorted = scores;
        std::sort(sorted.rbegin(), sorted.rend());
        const double kth = sorted[std::min(o.top_k, sorted.size()) - 1];
        for (double& s : scores)
            if (s < kth) s = gone;
    }
    const auto softmax = [&] {
        const double top = *std::max_element(scores.begin(), scores.end());
        std::vector<double> p(scores.size());
        for (std::size_t i = 0; i < p.size(); ++i) p[i] = std::exp(scores[i] - top);
        const double sum = std::accumulate(p.begin(), p.end(), 0.0);
        for (double& x : p) x /= sum;
        return p;
    };
    if (o.top_p < 1) {
        const std::vector<double> p = softmax();
        std::vector<std::size_t> ascending(p.size());
        std::iota(ascending.begin(), ascending.end(), std::size_t{0});
        std::sort(ascending.begin(), ascending.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
        double sum = 0;
        for (std::size_t i = 0; i + 1 < ascending.size(); ++i) {
            sum += p[ascending[i]];
            if (sum <= 1 - o.top_p) scores[ascending[i]] = gone;
        }
    }
    if (o.min_p > 0) {
        const std::vector<double> p = softmax();
        const double top = *std::max_element(p.begin(), p.end());
        for (std::size_t i = 0; i < p.size(); ++i)
            if (p[i] < o.min_p * top) scores[i] = gone;
    }
    return softmax();
}

// The distribution that the sampler draws from, by many evenly spaced numbers.
std::vector<double> drawn(std::vector<float> const& logits, sampling_options const& o, ids const& history,
                          std::size_t draws) {
    std::vector<double> share(logits.size());
    token_sampler sample;
    for (std::size_t i = 0; i < draws; ++i) {
        const double u = (static_cast<double>(i) + 0.5) / static_cast<double>(draws);
        share[static_cast<std::size_t>(sample(logits, o, history, u))] += 1 / static_cast<double>(draws);
    }
    return share;
}

void expect_distribution(std::vector<float> const& logits, sampling_options const& o, ids const& history = {}) {
    const auto expected = probabilities({logits.begin(), logits.end()}, o, history);
    const auto found = drawn(logits, o, history, 4000);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        BOOST_TEST(std::fabs(expected[i] - found[i]) <= 6e-4,
                   "token " << i << ": expected " << expected[i] << ", found " << found[i]);
        if (expected[i] == 0) BOOST_TEST(found[i] == 0);
    }
}

std::vector<float> random_logits(unsigned seed, std::size_t n = 30) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> draw(0, 2);
    std::vector<float> logits(n);
    for (float& x : logits) x = draw(engine);
    return logits;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_step_alone) {
    for (unsigned seed = 1; seed <= 3; ++seed) {
        const auto logits = random_logits(seed);
        expect_distribution(logits, {});
        expect_distribution(logits, {.temperature = 0.5});
        expect_distribution(logits, {.temperature = 2.5});
        expect_distribution(logits, {.top_k = 1});
        expect_distribution(logits, {.top_k = 7});
        expect_distribution(logits, {.top_k = 300});
        expect_distribution(logits, {.top_p = 0.6});
        expect_distribution(logits, {.top_p = 0.99});
        expect_distribution(logits, {.top_p = 1e-6});
        expect_distribution(logits, {.min_p = 0.1});
        expect_distribution(logits, {.min_p = 1});
        expect_distribution(logits, {.repetition_penalty = 1.7}, {3, 5, 3, 29, 0});
        expect_distribution(logits, {.repetition_penalty = 0.6}, {1, 2});
    }
}
BOOST_AUTO_TEST_CASE(all_steps_together) {
    for (unsigned seed = 4; seed <= 8; ++seed) {
        const auto logits = random_logits(seed);
        expect_distribution(logits,
                            {.temperature = 1.3, .top_k = 12, .top_p = 0.8, .min_p = 0.05, .repetition_penalty = 1.2},
                            {7, 8, 9});
        expect_distribution(logits, {.temperature = 0.9, .top_p = 0.9, .min_p = 0.3});
        expect_distribution(logits, {.top_k = 5, .top_p = 0.5});
    }
}
BOOST_AUTO_TEST_CASE(a_large_vocabulary_is_cut_part_by_part) {
    // Nearly even logits: top-p keeps hundreds of tokens, beyond the first part that is sorted.
    std::vector<float> logits(5000);
    std::mt19937 engine(9);
    std::uniform_real_distribution<float> draw(0, 0.1f);
    for (float& x : logits) x = draw(engine);
    const auto p = probabilities({logits.begin(), logits.end()}, {.top_p = 0.3}, {});
    token_sampler sample;
    for (int i = 0; i < 2000; ++i) {
        const auto id = sample(logits, {.top_p = 0.3}, {}, i / 2000.0);
        BOOST_REQUIRE(p[static_cast<std::size_t>(id)] > 0);
    }
}
BOOST_AUTO_TEST_CASE(greedy_takes_the_likeliest_and_of_equals_the_first) {
    const std::vector<float> logits{1, 3, -2, 3};
    BOOST_TEST(sample_token(logits, {.temperature = 0}, {}, 0.99) == 1);
    // The penalty comes first: 3 / 2 < 3.
    BOOST_TEST(sample_token(logits, {.temperature = 0, .repetition_penalty = 2}, ids{1}, 0.0) == 3);
}
BOOST_AUTO_TEST_CASE(equal_logits_at_the_border_of_top_k_all_stay) {
    const auto found = drawn({2, 1, 1, 0}, {.top_k = 2}, {}, 4000);
    BOOST_TEST(found[1] > 0.1);
    BOOST_TEST(found[2] > 0.1);
    BOOST_TEST(found[3] == 0);
}
BOOST_AUTO_TEST_CASE(impossible_tokens_are_never_drawn) {
    constexpr float gone = -std::numeric_limits<float>::infinity();
    const std::vector<float> logits{gone, 0, gone};
    for (double u : {0.0, 0.5, 0.999999999}) BOOST_TEST(sample_token(logits, {}, {}, u) == 1);
}
BOOST_AUTO_TEST_CASE(what_is_no_distribution_is_refused) {
    constexpr float gone = -std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const auto refused = [](std::vector<float> const& logits, sampling_options const& o) {
        BOOST_CHECK_THROW(sample_token(logits, o, {}, 0.5), exception);
    };
    refused({}, {});
    refused({gone, gone}, {});
    refused({1, nan}, {});
    refused({nan, 1}, {.temperature = 0});
    refused({1, 2}, {.temperature = -1});
    refused({1, 2}, {.top_p = 0});
    refused({1, 2}, {.top_p = 1.5});
    refused({1, 2}, {.min_p = -0.1});
    refused({1, 2}, {.min_p = std::numeric_limits<double>::quiet_NaN()});
    refused({1, 2}, {.repetition_penalty = 0});
}
BOOST_AUTO_TEST_CASE(stop_sequences_are_found_and_their_beginnings_held_back) {
    const stop_sequences stops({{1, 2, 3}, {3}, {}, {1, 1}});
    BOOST_TEST(stops.matched(ids{5, 1, 2}) == 0u);
    BOOST_TEST(stops.matched(ids{5, 1, 2, 3}) == 3u);
    BOOST_TEST(stops.matched(ids{2, 3}) == 1u);
    BOOST_TEST(stops.matched(ids{}) == 0u);
    BOOST_TEST(stops.undecided(ids{5, 1, 2}) == 2u);
    BOOST_TEST(stops.undecided(ids{5, 1}) == 1u);
    BOOST_TEST(stops.undecided(ids{1, 5}) == 0u);
    BOOST_TEST(stop_sequences{}.undecided(ids{1}) == 0u);
}
