// SPDX-License-Identifier: MIT
// Estimators without gradients: values by hand, and beside definitions written out in another way.
#define BOOST_TEST_MODULE align_estimators
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <tenet/align/advantages.hpp>
#include <tenet/align/group_advantages.hpp>
#include <tenet/align/metrics.hpp>
#include <tenet/align/reference.hpp>
#include <tenet/align/reward_shaping.hpp>
#include <tenet/align/rollout.hpp>

using namespace tenet;

namespace {

std::vector<double> random_numbers(unsigned seed, std::size_t n) {
    std::mt19937 engine(seed);
    std::normal_distribution<double> draw(0.3, 1.5);
    std::vector<double> x(n);
    for (double& v : x) v = draw(engine);
    return x;
}
void expect_close(std::vector<double> const& found, std::vector<double> const& expected, double tolerance = 1e-12) {
    BOOST_TEST_REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) BOOST_TEST(std::fabs(found[i] - expected[i]) <= tolerance, i);
}

}  // namespace

// By the definition: A_t = sum over k of (gamma lambda)^k delta_{t+k}.
BOOST_AUTO_TEST_CASE(generalized_advantages_are_discounted_sums) {
    const auto r = random_numbers(1, 7), v = random_numbers(2, 7);
    const gae_options o{.gamma = 0.97, .lambda = 0.9};
    std::vector<double> found(7), expected(7);
    generalized_advantages(r, v, found, o, 0.8);
    for (std::size_t t = 0; t < 7; ++t)
        for (std::size_t k = t; k < 7; ++k) {
            const double next = k + 1 < 7 ? v[k + 1] : 0.8;
            expected[t] += std::pow(0.97 * 0.9, static_cast<double>(k - t)) * (r[k] + 0.97 * next - v[k]);
        }
    expect_close(found, expected);
    // lambda 1 without discount: all that is still to come, less the value.
    generalized_advantages(r, v, found, {.gamma = 1, .lambda = 1});
    double rest = 0;
    for (std::size_t t = 7; t-- > 0;) {
        rest += r[t];
        expected[t] = rest - v[t];
    }
    expect_close(found, expected);
}

BOOST_AUTO_TEST_CASE(nothing_crosses_the_end_of_an_episode) {
    const auto r = random_numbers(3, 5), v = random_numbers(4, 5);
    const std::vector<double> done{0, 0, 1, 0, 0};
    std::vector<double> all(5), first(3), second(2);
    generalized_advantages(r, v, all, {.gamma = 0.9, .lambda = 0.8}, 0.4, done);
    generalized_advantages(std::span(r).first(3), std::span(v).first(3), first, {.gamma = 0.9, .lambda = 0.8});
    generalized_advantages(std::span(r).last(2), std::span(v).last(2), second, {.gamma = 0.9, .lambda = 0.8}, 0.4);
    first.insert(first.end(), second.begin(), second.end());
    expect_close(all, first);
}

// Rows of different lengths: what belongs to one row never reaches another, and there is no padding to reach.
BOOST_AUTO_TEST_CASE(ragged_rows_are_each_by_itself) {
    token_rows<double> r, v;
    std::vector<double> expected;
    for (std::size_t n : {3u, 1u, 5u}) {
        const auto a = random_numbers(static_cast<unsigned>(n), n),
                   b = random_numbers(static_cast<unsigned>(10 + n), n);
        r.push_back(a);
        v.push_back(b);
        std::vector<double> row(n);
        generalized_advantages(a, b, row);
        expected.insert(expected.end(), row.begin(), row.end());
    }
    const auto found = generalized_advantages(r, v);
    BOOST_TEST(found.rows() == 3u);
    BOOST_TEST(found.length(1) == 1u);
    expect_close({found.flat().begin(), found.flat().end()}, expected, 0);
    const auto returns = returns_of(found, v);
    BOOST_TEST(returns[2][4] == found[2][4] + v[2][4]);
    v.push_back(std::vector<double>{1});
    BOOST_CHECK_THROW(static_cast<void>(generalized_advantages(r, v)), tenet::exception);
}

BOOST_AUTO_TEST_CASE(whitening_uses_the_population_variance_unless_told_otherwise) {
    std::vector<double> x{1, 2, 3, 6};  // mean 3, variance 14/4 or 14/3
    auto y = x;
    whiten(y);
    expect_close(y, {-2 / std::sqrt(3.5), -1 / std::sqrt(3.5), 0, 3 / std::sqrt(3.5)}, 1e-7);
    y = x;
    whiten(y, {.shift_mean = false, .variance = variance_kind::sample, .epsilon = 0});
    expect_close(y, {3 - 2 / std::sqrt(14.0 / 3), 3 - 1 / std::sqrt(14.0 / 3), 3, 3 + 3 / std::sqrt(14.0 / 3)});
    y = x;
    whiten(y, {.epsilon = 0.5, .epsilon_in_root = true});
    expect_close(y, {-1, -0.5, 0, 1.5});
    y = x;
    whiten(y, {.epsilon = 0.5});
    BOOST_TEST(std::fabs(y[3] - 3 / (std::sqrt(3.5) + 0.5)) < 1e-12);
    std::vector<float> equal{2, 2};
    whiten(equal);
    BOOST_TEST(equal[0] == 0.0f);  // and not NaN
}

BOOST_AUTO_TEST_CASE(kl_estimates) {
    BOOST_TEST(kl_estimate(kl_kind::k1, -1.0, -1.5) == 0.5);
    BOOST_TEST(kl_estimate(kl_kind::k2, -1.0, -1.5) == 0.125);
    BOOST_TEST(std::fabs(kl_estimate(kl_kind::k3, -1.0, -1.5) - (std::exp(-0.5) - 0.5)) < 1e-15);
    // Their means over samples of the policy are the divergence.
    const std::vector<double> p{0.5, 0.3, 0.2}, q{0.2, 0.5, 0.3};
    double exact = 0, k1 = 0, k3 = 0, wrong = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        exact += p[i] * std::log(p[i] / q[i]);
        k1 += p[i] * kl_estimate(kl_kind::k1, std::log(p[i]), std::log(q[i]));
        k3 += p[i] * kl_estimate(kl_kind::k3, std::log(p[i]), std::log(q[i]));
        wrong += q[i] * kl_estimate(kl_kind::k1, std::log(p[i]), std::log(q[i]));
    }
    BOOST_TEST(std::fabs(k1 - exact) < 1e-14);
    BOOST_TEST(std::fabs(k3 - exact) < 1e-14);
    BOOST_TEST(wrong < 0);  // of samples that are not the policy's it can be negative
}

// Ziegler's controller: +-20 % of error at most, in proportion to the number of completions.
BOOST_AUTO_TEST_CASE(the_adaptive_coefficient_follows_its_target) {
    adaptive_kl_coefficient c(0.2, 6, 10000);
    c.update(6, 256);
    BOOST_TEST(c.value() == 0.2);
    c.update(6.6, 100);  // error 0.1
    BOOST_TEST(std::fabs(c.value() - 0.2 * (1 + 0.1 * 100 / 10000)) < 1e-15);
    adaptive_kl_coefficient high(1, 6, 1000);
    high.update(1000, 100);
    BOOST_TEST(std::fabs(high.value() - 1.02) < 1e-15);
    high.update(0, 100);
    BOOST_TEST(std::fabs(high.value() - 1.02 * 0.98) < 1e-15);
    adaptive_kl_coefficient held(0.2, 6, 1000, 0.2);  // does not sink below where it begins
    held.update(0, 500);
    BOOST_TEST(held.value() == 0.2);
    held.update(1000, 500);
    BOOST_TEST(std::fabs(held.value() - 0.22) < 1e-15);
    held.update(0, 500);
    BOOST_TEST(std::fabs(held.value() - 0.2) < 1e-15);
    BOOST_CHECK_THROW(adaptive_kl_coefficient(0.2, 6, 1000, 0.3), tenet::exception);
    BOOST_CHECK_THROW(adaptive_kl_coefficient(0, 6, 1), tenet::exception);
    BOOST_CHECK_THROW(fixed_kl_coefficient(-1), tenet::exception);
}

// The score belongs to the last token that was said, which is the end-of-text token; one place later is TRL's choice.
BOOST_AUTO_TEST_CASE(the_score_is_paid_with_the_last_token) {
    const std::vector<double> policy{-1, -2, -0.5}, reference{-1.5, -1, -0.5};
    std::vector<double> r(3);
    token_rewards(policy, reference, 10, r, {.kl_coefficient = 0.1});
    expect_close(r, {-0.05, 0.1, 10});
    std::vector<double> later(4, 77);
    token_rewards(policy, reference, 10, later, {.kl_coefficient = 0.1, .place = score_place::after_the_end});
    expect_close(later, {-0.05, 0.1, 0, 10});
    token_rewards(policy, reference, 10, r, {.kl_coefficient = 0.1, .kl = kl_kind::k3});
    expect_close(r, {-0.1 * (std::exp(-0.5) - 0.5), -0.1 * (std::exp(1.0) - 2), 10});
    std::vector<double> short_of(2);
    BOOST_CHECK_THROW(token_rewards(policy, reference, 1, short_of), tenet::exception);
}

BOOST_AUTO_TEST_CASE(completions_end_with_their_first_end_of_text_token) {
    const std::vector<std::int32_t> ended{5, 9, 7, 9, 9}, open{5, 6};
    const completion_end a = find_end(ended, 9), b = find_end(open, 9);
    BOOST_TEST((a.length == 2u && a.finished));
    BOOST_TEST((b.length == 2u && !b.finished));
    const std::vector<std::int32_t> prompt{1, 9, 2};  // an end of text in the prompt is none of the completion
    const rollout r = make_rollout(prompt, ended, std::vector<double>{-1, -2, -3, -4, -5}, 9);
    BOOST_TEST(r.row.tokens == (std::vector<std::int32_t>{1, 9, 2, 5, 9}), boost::test_tools::per_element());
    BOOST_TEST(r.row.prompt == 3u);
    BOOST_TEST(r.finished);
    BOOST_TEST(r.log_probabilities == (std::vector<double>{-1, -2}), boost::test_tools::per_element());
    BOOST_TEST(!make_rollout(prompt, open, {}, 9).finished);
    BOOST_CHECK_THROW(static_cast<void>(make_rollout(prompt, open, std::vector<double>{-1}, 9)), tenet::exception);

    BOOST_TEST(score_without_end(2, false, missing_end::subtract, 3) == -1);
    BOOST_TEST(score_without_end(2, false, missing_end::replace, 3) == -3);
    BOOST_TEST(score_without_end(2, false, missing_end::keep, 3) == 2);
    BOOST_TEST(score_without_end(2, true, missing_end::replace, 3) == 2);
}

BOOST_AUTO_TEST_CASE(leave_one_out_is_the_mean_of_the_others) {
    const auto s = random_numbers(5, 8);
    const auto found = leave_one_out_advantages(s, 4);
    for (std::size_t i = 0; i < 8; ++i) {
        double others = 0;
        for (std::size_t k = i / 4 * 4; k < i / 4 * 4 + 4; ++k) others += k == i ? 0 : s[k];
        BOOST_TEST(std::fabs(found[i] - (s[i] - others / 3)) < 1e-12);
    }
    BOOST_CHECK_THROW(static_cast<void>(leave_one_out_advantages(s, 3)), tenet::exception);
    BOOST_CHECK_THROW(static_cast<void>(leave_one_out_advantages(s, 1)), tenet::exception);
}

BOOST_AUTO_TEST_CASE(group_relative_advantages_are_within_a_prompt) {
    const std::vector<double> s{1, 2, 3, 10, 10, 10};
    const auto a = group_relative_advantages(s, 3);
    expect_close(a, {-1 / 1.0001, 0, 1 / 1.0001, 0, 0, 0});
    const auto population = group_relative_advantages(s, 3, {.variance = variance_kind::population, .epsilon = 0.5});
    BOOST_TEST(std::fabs(population[2] - 1 / (std::sqrt(2.0 / 3) + 0.5)) < 1e-12);
    expect_close(group_relative_advantages(s, 3, {.divide_by_deviation = false}), {-1, 0, 1, 0, 0, 0});
}

BOOST_AUTO_TEST_CASE(metrics_and_scale) {
    const std::vector<float> chosen{1, 2, 3}, rejected{0, 2, 5};
    const auto m = metrics_of_rewards(chosen, rejected);
    BOOST_TEST(std::fabs(m.accuracy - 1.0 / 3) < 1e-12);  // a tie is not right
    BOOST_TEST(std::fabs(m.margin + 1.0 / 3) < 1e-12);
    // features of the reference implementation: pc = -10, pr = -12, rc = -11, rr = -11.5, beta 0.1
    const auto d = metrics_of_policy(std::vector<double>{-10}, std::vector<double>{-12}, std::vector<double>{-11},
                                     std::vector<double>{-11.5}, 0.1);
    BOOST_TEST(std::fabs(d.chosen - 0.1) < 1e-12);
    BOOST_TEST(std::fabs(d.rejected + 0.05) < 1e-12);
    BOOST_TEST(std::fabs(d.margin - 0.15) < 1e-12);
    BOOST_TEST(d.accuracy == 1);

    const auto texts = random_numbers(8, 50);
    for (const reward_scale scale : {reward_scale::centred(texts), reward_scale::normalised(texts)}) {
        std::vector<double> after;
        for (double v : texts) after.push_back(scale(v));
        BOOST_TEST(std::fabs(mean_of(after)) < 1e-12);
        if (scale.gain != 1) BOOST_TEST(std::fabs(variance_of(after) - 1) < 1e-12);
        else BOOST_TEST(std::fabs(variance_of(after) - variance_of(texts)) < 1e-12);
    }
    BOOST_CHECK_THROW(static_cast<void>(reward_scale::normalised(std::vector<double>{2, 2})), tenet::exception);

    BOOST_TEST(explained_variance(texts, texts) == 1);
    BOOST_TEST(std::fabs(explained_variance(std::vector<double>(50, 3.0), texts)) < 1e-12);
    BOOST_TEST(explained_variance(random_numbers(9, 50), texts) < 0);
    BOOST_TEST(std::isnan(explained_variance(texts, std::vector<double>(50, 1.0))));
}

BOOST_AUTO_TEST_CASE(cached_references_are_only_read_when_computed) {
    reference_cache<float> cache(3);
    cache.set(1, {-10.0f, -12.5f});
    BOOST_TEST(cache.get(1, 1) == -12.5f);
    BOOST_TEST(!cache.complete());
    BOOST_CHECK_THROW(static_cast<void>(cache.get(0)), tenet::exception);
    BOOST_CHECK_THROW(static_cast<void>(cache.get(1, 2)), tenet::exception);
    BOOST_CHECK_THROW(cache.set(3, {0, 0}), tenet::exception);
    BOOST_CHECK_THROW(cache.set(0, {0}), tenet::exception);
    cache.set(0, {0, 0});
    cache.set(2, {0, 0});
    BOOST_TEST(cache.complete());
}
