// SPDX-License-Identifier: MIT
// Losses over the tokens of completions: log-probabilities, PPO, GRPO, REINFORCE. Values beside plain loops, gradients
// beside central differences; neither prompt nor padding has a part in anything.
#define BOOST_TEST_MODULE align_policy_losses
#include "../../support/gradient_check.hpp"

#include <tenet/align/grpo.hpp>
#include <tenet/data/completion_batch.hpp>

using namespace gradient_check;

struct Batch : at_most<4> {};
struct Time : axis<6> {};
struct Vocab : axis<5> {};

namespace policy_losses_test {

using logits_type = tensor<double, Batch, Time, Vocab>;
using per_token = tensor<double, Batch, Time>;

// Prompts of 2, 1 and 3 tokens, completions of 3, 1 and 3.
completion_batch<Batch, Time> rows() {
    completion_batch<Batch, Time> batch({.pad = 4}, 3);
    batch.set(0, completion_row{{1, 2, 3, 0, 4}, 2});
    batch.set(1, completion_row{{2, 4}, 1});
    batch.set(2, completion_row{{0, 1, 2, 3, 3, 1}, 3});
    return batch;
}
per_token numbers(unsigned seed, double low, double high) {
    return uniform<per_token>(seed, low, high, extent<Batch>(3));
}
double log_probability(logits_type const& x, std::size_t i, std::size_t t, std::int32_t token) {
    double sum = 0;
    for (std::size_t v = 0; v < Vocab::capacity; ++v) sum += std::exp(x(i, t, v));
    return x(i, t, static_cast<std::size_t>(token)) - std::log(sum);
}
/// f(row, place, target) for every token of every completion.
template <class F>
void for_targets(completion_targets<Batch, Time> const& targets, F f) {
    for (std::size_t i = 0; i < targets.rows(); ++i) {
        const auto [first, last] = targets.positions(i);
        for (std::size_t t = first; t < last; ++t) f(i, t, targets.tokens()(i, t));
    }
}
template <class P, class Tensor, class Run>
void expect_gradient(P& p, Tensor& x, Tensor const& found, Run run) {
    double worst = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
        const double at = x.data()[k];
        x.data()[k] = at + 1e-5;
        const double above = run();
        x.data()[k] = at - 1e-5;
        const double below = run();
        x.data()[k] = at;
        worst = std::fmax(worst, std::fabs((above - below) / 2e-5 - found.data()[k]));
    }
    BOOST_TEST(worst < 1e-8);
    static_cast<void>(p);
}
void close(double found, double expected) {
    BOOST_TEST(std::fabs(found - expected) <= 1e-12 * std::fmax(1, std::fabs(expected)));
}

struct log_probabilities {
    constexpr auto operator()(auto logits, auto targets) const {
        const auto whole = sequence_log_probability<Vocab, Time>(logits, targets);
        const auto average = average_log_probability<Vocab, Time>(logits, targets);
        const auto tuned = completion_cross_entropy<Vocab>(logits, targets);
        return std::tuple{project(whole) + 2.0 * project(average) + 3.0 * tuned, whole, average, tuned,
                          completion_length<Time>(targets)};
    }
};

}  // namespace policy_losses_test
using namespace policy_losses_test;

BOOST_AUTO_TEST_CASE(log_probabilities_of_completions_alone) {
    const auto batch = rows();
    auto logits = uniform<logits_type>(1, -2, 2, extent<Batch>(3));
    basic_program<double, program_mode::gradients, models<>, log_probabilities, variable<Batch, Time, Vocab>,
                  completions<Batch, Time>>
        p;
    p(logits, batch.targets());
    // By the tokens themselves: token t + 1 is said at t.
    const std::vector<std::vector<std::int32_t>> said{{3, 0, 4}, {4}, {3, 3, 1}};
    const std::size_t first[] = {1, 0, 2};
    double all = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        double sum = 0;
        for (std::size_t k = 0; k < said[i].size(); ++k) sum += log_probability(logits, i, first[i] + k, said[i][k]);
        all += sum;
        close(p.result<1>()(i), sum);
        close(p.result<2>()(i), sum / static_cast<double>(said[i].size()));
        BOOST_TEST(p.result<4>()(i) == static_cast<double>(said[i].size()));
    }
    close(*p.result<3>().data(), -all / 7);
    const auto dx = p.input_gradient<0>();
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t t = 0; t < Time::capacity; ++t)
            for (std::size_t v = 0; v < Vocab::capacity; ++v)
                if (batch.targets().tokens()(i, t) < 0) BOOST_TEST(dx(i, t, v) == 0);
    expect_gradient(p, logits, dx, [&] { return p(logits, batch.targets()); });
    // The same of tensors, without a program.
    tensor<double, Batch> outside(extent<Batch>(3));
    outside = sequence_log_probability<Vocab, Time>(logits, batch.targets());
    for (std::size_t i = 0; i < 3; ++i) close(outside(i), p.result<1>()(i));
}

namespace policy_losses_test {

constexpr ppo_loss_options options{.clip = 0.2, .value_clip = 0.15, .value_weight = 0.3, .entropy_weight = 0.05};

struct update {
    constexpr auto operator()(auto logits, auto values, auto targets, auto old, auto advantages, auto old_values,
                              auto returns) const {
        const auto stopped = ppo_stopped_fraction<Batch, Time>(token_log_probabilities<Vocab>(logits, targets), old,
                                                               advantages, completion_mask(targets), options);
        return std::tuple_cat(
            ppo_step<Vocab, Batch, Time>(logits, values, targets, old, advantages, old_values, returns, options),
            std::tuple{stopped});
    }
};
using update_program = basic_program<double, program_mode::gradients, models<>, update, variable<Batch, Time, Vocab>,
                                     variable<Batch, Time>, completions<Batch, Time>, values<Batch, Time>,
                                     values<Batch, Time>, values<Batch, Time>, values<Batch, Time>>;

}  // namespace policy_losses_test

BOOST_AUTO_TEST_CASE(a_step_of_ppo) {
    const auto batch = rows();
    auto logits = uniform<logits_type>(2, -2, 2, extent<Batch>(3));
    auto v = numbers(3, -1, 1);
    auto old = numbers(4, -0.5, 0.5), a = numbers(5, -1, 1), old_v = v, returns = numbers(7, -1, 1);
    const auto shift = numbers(6, -0.4, 0.4);
    for_targets(batch.targets(), [&](auto i, auto t, auto y) { old(i, t) += log_probability(logits, i, t, y); });
    for (std::size_t k = 0; k < v.size(); ++k) old_v.data()[k] += shift.data()[k];
    update_program p;
    const auto run = [&] { return p(logits, v, batch.targets(), old, a, old_v, returns); };
    run();
    double policy = 0, value = 0, entropy = 0, divergence = 0, clipped = 0, active = 0;
    for_targets(batch.targets(), [&](auto i, auto t, auto y) {
        const double d = log_probability(logits, i, t, y) - old(i, t), r = std::exp(d);
        const double plain = -a(i, t) * r, held = -a(i, t) * std::fmin(std::fmax(r, 0.8), 1.2);
        policy += std::fmax(plain, held) / 7;
        active += held > plain ? 1 : 0;
        const double moved = old_v(i, t) + std::fmin(std::fmax(v(i, t) - old_v(i, t), -0.15), 0.15);
        value += 0.5 * std::fmax(std::pow(v(i, t) - returns(i, t), 2), std::pow(moved - returns(i, t), 2)) / 7;
        for (std::int32_t k = 0; k < 5; ++k) {
            const double l = log_probability(logits, i, t, k);
            entropy -= std::exp(l) * l / 7;
        }
        divergence += 0.5 * d * d / 7;
        clipped += std::fabs(r - 1) > 0.2 ? 1.0 / 7 : 0;
    });
    BOOST_TEST(active > 0);  // the case has tokens of all kinds
    BOOST_TEST(active < clipped * 7);
    close(*p.result<1>().data(), policy);
    close(*p.result<2>().data(), value);
    close(*p.result<3>().data(), entropy);
    close(*p.result<4>().data(), divergence);
    close(*p.result<5>().data(), clipped);
    close(*p.result<6>().data(), active / 7);
    close(*p.result<0>().data(), policy + 0.3 * value - 0.05 * entropy);
    expect_gradient(p, logits, p.input_gradient<0>(), run);
    run();
    expect_gradient(p, v, p.input_gradient<1>(), run);

    // Whatever stands where no completion is predicted: nothing changes, and no gradient goes there.
    run();
    const double before = *p.result<0>().data();
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t t = 0; t < Time::capacity; ++t) {
            if (batch.targets().tokens()(i, t) >= 0) continue;
            old(i, t) = -1e4;  // exp of the difference overflows
            a(i, t) = old_v(i, t) = returns(i, t) = 1e30;
            v(i, t) = -1e30;
        }
    BOOST_TEST(run() == before);
    const auto dx = p.input_gradient<0>();
    const auto dv = p.input_gradient<1>();
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t t = 0; t < Time::capacity; ++t) {
            const bool said = batch.targets().tokens()(i, t) >= 0;
            if (!said) BOOST_TEST(dv(i, t) == 0);
            for (std::size_t k = 0; k < Vocab::capacity; ++k) {
                BOOST_TEST(std::isfinite(dx(i, t, k)));
                if (!said) BOOST_TEST(dx(i, t, k) == 0);
            }
        }
}

// The first update of a round: the ratio is exactly 1, nothing is clipped, and the loss is minus the mean advantage.
BOOST_AUTO_TEST_CASE(the_first_update_has_the_ratio_one) {
    const auto batch = rows();
    const auto logits = uniform<logits_type>(8, -2, 2, extent<Batch>(3));
    const auto v = numbers(9, -1, 1), a = numbers(10, -1, 1);
    auto old = numbers(0, 0, 0);
    for_targets(batch.targets(), [&](auto i, auto t, auto y) { old(i, t) = log_probability(logits, i, t, y); });
    update_program p;
    p(logits, v, batch.targets(), old, a, v, v);
    double mean = 0;
    for_targets(batch.targets(), [&](auto i, auto t, auto) { mean += a(i, t) / 7; });
    close(*p.result<1>().data(), -mean);
    BOOST_TEST(*p.result<2>().data() == 0);
    BOOST_TEST(*p.result<4>().data() < 1e-28);
    BOOST_TEST(*p.result<5>().data() == 0);
}

namespace policy_losses_test {

struct without_values {
    constexpr auto operator()(auto now, auto old, auto reference, auto a, auto targets) const {
        const auto mask = completion_mask(targets);
        const auto paper = grpo_loss<Batch, Time>(now, old, reference, a, mask, {.beta = 0.3});
        const auto tokens =
            grpo_loss<Batch, Time>(now, old, reference, a, mask, {.beta = 0.3, .average = token_average::per_token});
        const auto plain = reinforce_loss<Batch>(sum<Time>(where(mask, now, 0.0)), a);
        return std::tuple{paper + 0.7 * tokens + 0.5 * plain, paper, tokens, plain};
    }
};

}  // namespace policy_losses_test

BOOST_AUTO_TEST_CASE(losses_of_groups) {
    const auto batch = rows();
    auto now = numbers(11, -3, -1);
    auto old = now;
    auto const& reference = numbers(12, -3, -1);
    const auto shift = numbers(13, -0.4, 0.4);
    for (std::size_t k = 0; k < old.size(); ++k) old.data()[k] += shift.data()[k];
    const auto a = uniform<tensor<double, Batch>>(14, -1, 1, extent<Batch>(3));
    basic_program<double, program_mode::gradients, models<>, without_values, variable<Batch, Time>, values<Batch, Time>,
                  values<Batch, Time>, values<Batch>, completions<Batch, Time>>
        p;
    const auto run = [&] { return p(now, old, reference, a, batch.targets()); };
    run();
    double paper = 0, tokens = 0, plain = 0;
    for_targets(batch.targets(), [&](auto i, auto t, auto) {
        const double r = std::exp(now(i, t) - old(i, t)), d = reference(i, t) - now(i, t);
        const double term =
            std::fmax(-a(i) * r, -a(i) * std::fmin(std::fmax(r, 0.8), 1.2)) + 0.3 * (std::exp(d) - 1 - d);
        paper += term / static_cast<double>(batch.targets().length(i)) / 3;
        tokens += term / 7;
        plain -= a(i) * now(i, t) / 3;
    });
    close(*p.result<1>().data(), paper);
    close(*p.result<2>().data(), tokens);
    close(*p.result<3>().data(), plain);
    BOOST_TEST(std::fabs(paper - tokens) > 1e-3);
    expect_gradient(p, now, p.input_gradient<0>(), run);
}
