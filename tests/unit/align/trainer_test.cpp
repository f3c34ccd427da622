// SPDX-License-Identifier: MIT
// A round of policy optimisation with made-up models: what reaches the update program, in which places, how often.
#define BOOST_TEST_MODULE align_trainer
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include <tenet/align/ppo_trainer.hpp>
#include <tenet/align/sample_rollouts.hpp>

using namespace tenet;

struct Batch : at_most<3> {};
struct Time : axis<8> {};

namespace {

using trainer = ppo_trainer<Batch, Time, fixed_kl_coefficient, double>;
constexpr std::int32_t end_of_text = 9;
const completion_options rows{.end_of_text = end_of_text, .pad = end_of_text};

// What the made-up models say of `token` at position `t`.
double policy_of(std::int32_t token, std::size_t t) {
    return -0.3 * token - 0.05 * static_cast<double>(t);
}
double reference_of(std::int32_t token, std::size_t t) {
    return policy_of(token, t) - 0.1 * (token % 3) + 0.02;
}
double value_of(std::int32_t token, std::size_t t) {
    return 0.2 * token - 0.1 * static_cast<double>(t);
}

// NaN wherever no token of a completion is predicted: whoever reads there spoils everything.
trainer::judgement_type judge(trainer::batch_type const& batch) {
    trainer::judgement_type j;
    for (auto* t : {&j.log_probabilities, &j.reference_log_probabilities, &j.values}) {
        t->set_extents(batch.old_values.extents());
        t->fill(std::numeric_limits<double>::quiet_NaN());
    }
    auto const& targets = batch.rows.targets();
    for (std::size_t i = 0; i < targets.rows(); ++i)
        for (std::size_t t = 0; t < Time::capacity; ++t) {
            const std::int32_t token = targets.tokens()(i, t);
            if (token < 0) continue;
            j.log_probabilities(i, t) = policy_of(token, t);
            j.reference_log_probabilities(i, t) = reference_of(token, t);
            j.values(i, t) = value_of(token, t);
        }
    return j;
}

// Completions of 1 to 4 tokens; each begins with a token that tells which one it is.
std::vector<rollout> some_rollouts(std::size_t n) {
    std::vector<rollout> all;
    for (std::size_t k = 0; k < n; ++k) {
        std::vector<std::int32_t> prompt{1, 2}, said{static_cast<std::int32_t>(20 + k)};
        for (std::size_t i = 0; i < k % 3; ++i) said.push_back(static_cast<std::int32_t>(3 + i));
        if (k % 2 == 0) said.push_back(end_of_text);
        if (k % 3 == 1) prompt.push_back(4);
        std::vector<double> logp;
        for (std::size_t i = 0; i < said.size(); ++i) logp.push_back(policy_of(said[i], prompt.size() - 1 + i));
        all.push_back(make_rollout(prompt, said, logp, end_of_text));
        all.back().score = 0.5 * static_cast<double>(k) - 1;
    }
    return all;
}

const auto nothing = [] {};
ppo_outcome no_outcome(trainer::batch_type const&) {
    return {};
}

}  // namespace

// Every number that the update program reads is computed here once more, in the plainest way.
BOOST_AUTO_TEST_CASE(what_reaches_the_update_program) {
    const auto rollouts = some_rollouts(7);
    ppo_options o{
        .gae = {.gamma = 0.9, .lambda = 0.8}, .without_end = missing_end::subtract, .without_end_penalty = 0.7};
    o.epochs = 1;
    o.minibatch = 2;
    std::map<std::int32_t, std::vector<double>> advantages, returns;
    std::vector<double> all;
    for (rollout const& r : rollouts) {
        const auto said = r.completion();
        const std::size_t first = r.row.prompt - 1, n = said.size();
        std::vector<double> a(n), to(n);
        double next = 0;
        for (std::size_t t = n; t-- > 0;) {
            double reward = -0.25 * (policy_of(said[t], first + t) - reference_of(said[t], first + t));
            if (t == n - 1) reward += r.score - (r.finished ? 0 : 0.7);
            const double after = t + 1 < n ? value_of(said[t + 1], first + t + 1) : 0;
            next = reward + 0.9 * after - value_of(said[t], first + t) + 0.9 * 0.8 * next;
            a[t] = next;
            to[t] = next + value_of(said[t], first + t);
        }
        all.insert(all.end(), a.begin(), a.end());
        advantages[said[0]] = a;
        returns[said[0]] = to;
    }
    double mean = 0, variance = 0;
    for (double v : all) mean += v / static_cast<double>(all.size());
    for (double v : all) variance += (v - mean) * (v - mean) / static_cast<double>(all.size());

    trainer t(rows, o, fixed_kl_coefficient(0.25));
    std::map<std::int32_t, int> seen;
    std::size_t calls = 0, updates = 0;
    const auto d = t.round(
        rollouts, judge,
        [&](trainer::batch_type const& batch) {
            ++calls;
            auto const& targets = batch.rows.targets();
            BOOST_TEST(targets.rows() == (calls < 4 ? 2u : 1u));
            for (std::size_t i = 0; i < targets.rows(); ++i) {
                const auto [first, last] = targets.positions(i);
                const std::int32_t which = targets.tokens()(i, first);
                ++seen[which];
                for (std::size_t p = 0; p < Time::capacity; ++p) {
                    const std::int32_t token = targets.tokens()(i, p);
                    if (p < first || p >= last) {
                        BOOST_TEST(token == -100);
                        BOOST_TEST(batch.advantages(i, p) == 0.0);
                        BOOST_TEST(batch.old_log_probabilities(i, p) == 0.0);
                        continue;
                    }
                    const double a = (advantages[which][p - first] - mean) / (std::sqrt(variance) + 1e-8);
                    BOOST_TEST(std::fabs(batch.advantages(i, p) - a) < 1e-12);
                    BOOST_TEST(std::fabs(batch.returns(i, p) - returns[which][p - first]) < 1e-12);
                    BOOST_TEST(batch.old_values(i, p) == value_of(token, p));
                    BOOST_TEST(batch.old_log_probabilities(i, p) == policy_of(token, p));
                    BOOST_TEST(batch.reference_log_probabilities(i, p) == reference_of(token, p));
                }
            }
            return ppo_outcome{.total = static_cast<double>(calls), .entropy = 2};
        },
        [&] { ++updates; });
    BOOST_TEST(calls == 4u);
    BOOST_TEST(updates == 4u);
    BOOST_TEST(seen.size() == 7u);
    BOOST_TEST(d.updates == 4u);
    BOOST_TEST(d.steps.total == 2.5);
    BOOST_TEST(d.steps.entropy == 2);
    BOOST_TEST(std::fabs(d.score - 0.5) < 1e-12);
    BOOST_TEST(std::fabs(d.finished - 4.0 / 7) < 1e-12);
    BOOST_TEST(std::fabs(d.length - static_cast<double>(all.size()) / 7) < 1e-12);
    BOOST_TEST(d.coefficient == 0.25);
    BOOST_TEST(std::isfinite(d.explained_variance));
}

BOOST_AUTO_TEST_CASE(epochs_visit_everything_once_in_an_order_of_their_own) {
    const auto rollouts = some_rollouts(8);
    ppo_options o;
    o.epochs = 3;
    const auto order_of = [&](std::uint64_t seed, std::uint64_t round) {
        o.seed = seed;
        trainer t(rows, o, fixed_kl_coefficient(0));
        t.set_rounds(round);
        std::vector<std::int32_t> order;
        const auto d = t.round(
            rollouts, judge,
            [&](trainer::batch_type const& batch) {
                for (std::size_t i = 0; i < batch.rows.targets().rows(); ++i)
                    order.push_back(batch.rows.targets().tokens()(i, batch.rows.targets().positions(i).first));
                return ppo_outcome{};
            },
            nothing);
        BOOST_TEST(d.updates == 9u);
        BOOST_TEST(t.rounds() == round + 1);
        return order;
    };
    const auto once = order_of(1, 4);
    BOOST_TEST_REQUIRE(once.size() == 24u);
    for (std::ptrdiff_t epoch = 0; epoch < 3; ++epoch) {
        std::vector<std::int32_t> part(once.begin() + 8 * epoch, once.begin() + 8 * (epoch + 1));
        std::sort(part.begin(), part.end());
        for (std::int32_t k = 0; k < 8; ++k) BOOST_TEST(part[static_cast<std::size_t>(k)] == 20 + k);
    }
    BOOST_TEST(!std::equal(once.begin(), once.begin() + 8, once.begin() + 8));
    BOOST_TEST((order_of(1, 4) == once));  // a resumed run shuffles as it would have
    BOOST_TEST((order_of(1, 5) != once));
    BOOST_TEST((order_of(2, 4) != once));
}

// Log-probabilities of another distribution than the trained policy's (a temperature that only the sampler knew, top-k,
// weights of an earlier step) make the divergence negative and the ratio wrong; the round does not begin.
BOOST_AUTO_TEST_CASE(completions_of_another_policy_are_refused) {
    auto rollouts = some_rollouts(3);
    for (double& l : rollouts[1].log_probabilities) l /= 0.7;
    trainer t(rows, {}, fixed_kl_coefficient(0.1));
    BOOST_CHECK_THROW(t.round(rollouts, judge, no_outcome, nothing), tenet::exception);
    trainer any(rows, {.sampling_tolerance = std::numeric_limits<double>::infinity()}, fixed_kl_coefficient(0.1));
    BOOST_CHECK_NO_THROW(any.round(rollouts, judge, no_outcome, nothing));
    rollouts[1].log_probabilities.clear();  // not kept: nothing to compare
    BOOST_CHECK_NO_THROW(t.round(rollouts, judge, no_outcome, nothing));
    rollouts[1].log_probabilities = {0};  // of too few tokens
    BOOST_CHECK_THROW(any.round(rollouts, judge, no_outcome, nothing), tenet::exception);
}

BOOST_AUTO_TEST_CASE(a_negative_divergence_is_noticed) {
    const auto rollouts = some_rollouts(3);
    trainer t(rows, {}, fixed_kl_coefficient(0.1));
    BOOST_TEST(!t.round(rollouts, judge, no_outcome, nothing).negative_kl());
    const auto swapped = [](trainer::batch_type const& batch) {
        auto j = judge(batch);
        std::swap(j.log_probabilities, j.reference_log_probabilities);
        return j;
    };
    trainer other(rows, {.sampling_tolerance = 1}, fixed_kl_coefficient(0.1));
    const auto d = other.round(rollouts, swapped, no_outcome, nothing);
    BOOST_TEST(d.kl < 0);
    BOOST_TEST(d.negative_kl());
}

BOOST_AUTO_TEST_CASE(a_round_ends_before_the_update_that_goes_too_far) {
    const auto rollouts = some_rollouts(6);
    ppo_options o{.most_divergence = 0.1};
    trainer t(rows, o, fixed_kl_coefficient(0));
    int calls = 0, updates = 0;
    const auto d = t.round(
        rollouts, judge, [&](trainer::batch_type const&) { return ppo_outcome{.divergence = 0.03 * calls++}; },
        [&] { ++updates; });
    BOOST_TEST(calls == 5);  // 0, 0.03, 0.06, 0.09, 0.12
    BOOST_TEST(updates == 4);
    BOOST_TEST(d.stopped_early);
    BOOST_TEST(d.updates == 4u);
    BOOST_TEST(std::fabs(d.steps.divergence - 0.045) < 1e-12);
}

// The same round without values: one advantage for all tokens of a completion.
BOOST_AUTO_TEST_CASE(groups_of_completions) {
    const auto rollouts = some_rollouts(6);
    for (const auto estimator : {advantage_estimator::leave_one_out, advantage_estimator::group_relative}) {
        ppo_options o{.estimator = estimator, .group = 3};
        o.epochs = 1;
        std::vector<double> totals;
        for (rollout const& r : rollouts) {
            double total = r.score;
            for (std::size_t t = 0; t < r.completion().size(); ++t) {
                const std::size_t at = r.row.prompt - 1 + t;
                if (estimator == advantage_estimator::leave_one_out)
                    total -= 0.25 * (policy_of(r.completion()[t], at) - reference_of(r.completion()[t], at));
            }
            totals.push_back(total);
        }
        const auto expected = estimator == advantage_estimator::leave_one_out ? leave_one_out_advantages(totals, 3)
                                                                              : group_relative_advantages(totals, 3);
        trainer t(rows, o, fixed_kl_coefficient(0.25));
        const auto d = t.round(
            rollouts, judge,
            [&](trainer::batch_type const& batch) {
                auto const& targets = batch.rows.targets();
                for (std::size_t i = 0; i < targets.rows(); ++i) {
                    const auto [first, last] = targets.positions(i);
                    const double a = expected[static_cast<std::size_t>(targets.tokens()(i, first) - 20)];
                    BOOST_TEST(std::fabs(batch.advantage(i) - a) < 1e-12);
                    for (std::size_t p = first; p < last; ++p)
                        BOOST_TEST(std::fabs(batch.advantages(i, p) - a) < 1e-12);
                }
                return ppo_outcome{};
            },
            nothing);
        BOOST_TEST(std::isnan(d.explained_variance));
    }
    trainer odd(rows, {.estimator = advantage_estimator::group_relative, .group = 4}, fixed_kl_coefficient(0));
    BOOST_CHECK_THROW(odd.round(rollouts, judge, no_outcome, nothing), tenet::exception);
}

BOOST_AUTO_TEST_CASE(the_coefficient_is_steered_by_what_the_round_measured) {
    const auto rollouts = some_rollouts(4);
    ppo_trainer<Batch, Time, adaptive_kl_coefficient, double> t(rows, {}, adaptive_kl_coefficient(0.2, 1e-3, 100));
    const auto first = t.round(rollouts, judge, [](auto const&) { return ppo_outcome{}; }, nothing);
    BOOST_TEST(first.coefficient == 0.2);
    BOOST_TEST(std::fabs(t.coefficient().value() - 0.2 * (1 + 0.2 * 4 / 100)) < 1e-12);
    BOOST_CHECK_THROW(t.round({}, judge, [](auto const&) { return ppo_outcome{}; }, nothing), tenet::exception);
}

// What the generator leaves out (the token that it stopped at) is part of the completion; a cut is no end.
BOOST_AUTO_TEST_CASE(rollouts_from_a_generator) {
    using ids = std::vector<std::int32_t>;
    generation_options asked;
    const auto write = [&](std::vector<ids> const& prompts, generation_options const& o) {
        asked = o;
        BOOST_TEST(prompts.size() == 4u);
        BOOST_TEST(prompts[0] == prompts[1], boost::test_tools::per_element());
        return std::vector<generated>{
            {{5, 6}, finish::stop}, {{}, finish::stop}, {{5, 6, 7}, finish::length}, {{8, 8}, finish::stop}};
    };
    const auto r = sample_rollouts(
        write, {{1, 2}, {3}}, {.each = 2, .max_tokens = 3, .end_of_text = end_of_text, .seed = 17, .vocabulary = 12});
    BOOST_TEST_REQUIRE(r.size() == 4u);
    BOOST_TEST(r[0].row.tokens == (ids{1, 2, 5, 6, 9}), boost::test_tools::per_element());
    BOOST_TEST(r[0].finished);
    BOOST_TEST(r[1].row.tokens == (ids{1, 2, 9}), boost::test_tools::per_element());
    BOOST_TEST(r[1].row.prompt == 2u);
    BOOST_TEST(r[2].row.tokens == (ids{3, 5, 6, 7}), boost::test_tools::per_element());
    BOOST_TEST(!r[2].finished);
    BOOST_TEST(r[3].finished);
    BOOST_TEST((asked.stop == std::vector<ids>{{9}}));
    BOOST_TEST(asked.seed == 17u);
    BOOST_TEST(asked.max_tokens == 3u);
    BOOST_TEST(asked.vocabulary == 12u);
    // The policy's own distribution: nothing is cut off.
    BOOST_TEST(asked.sampling.temperature == 1);
    BOOST_TEST(asked.sampling.top_k == 0u);
    BOOST_TEST(asked.sampling.top_p == 1);
    BOOST_TEST(asked.sampling.repetition_penalty == 1);
    BOOST_CHECK_THROW(sample_rollouts(write, {{1}}, {.temperature = 0}), tenet::exception);
}

namespace {

struct generator_of_rows {
    static constexpr std::size_t most_rows = 5;
    std::vector<std::size_t> sizes{};
    std::vector<std::uint64_t> seeds{};
    std::vector<generated> operator()(std::vector<std::vector<std::int32_t>> const& prompts,
                                      generation_options const& o) {
        sizes.push_back(prompts.size());
        seeds.push_back(o.seed);
        std::vector<generated> all;
        for (std::vector<std::int32_t> const& p : prompts) all.push_back({{p.front() + 10}, finish::length});
        return all;
    }
};

}  // namespace

// Rows of a generator begin together; copies of a prompt are written in one call, and no two calls draw alike.
BOOST_AUTO_TEST_CASE(rollouts_are_written_in_whole_rows) {
    generator_of_rows write;
    const auto r = sample_rollouts(write, {{1}, {2}, {3}, {4}, {1}}, {.each = 2, .max_tokens = 1, .seed = 17});
    BOOST_TEST(write.sizes == (std::vector<std::size_t>{4, 4, 2}), boost::test_tools::per_element());
    BOOST_TEST(write.seeds[0] == 17u);
    BOOST_TEST(write.seeds[1] != write.seeds[0]);
    BOOST_TEST(write.seeds[2] != write.seeds[0]);
    BOOST_TEST_REQUIRE(r.size() == 10u);
    for (std::size_t i = 0; i < r.size(); ++i)
        BOOST_TEST(r[i].row.tokens[1] == std::vector<std::int32_t>({11, 12, 13, 14, 11})[i / 2]);
    // More copies than rows: still one call a prompt.
    write.sizes.clear();
    sample_rollouts(write, {{1}, {2}}, {.each = 7, .max_tokens = 1});
    BOOST_TEST(write.sizes == (std::vector<std::size_t>{7, 7}), boost::test_tools::per_element());
}
