// SPDX-License-Identifier: MIT
// Losses over pairs and rows: values beside plain formulas, gradients beside central differences, and the mistakes of
// other implementations. Few programs, each of several losses: they are what takes time to compile.
#define BOOST_TEST_MODULE align_losses
#include "../../support/gradient_check.hpp"

#include <tenet/align/dpo.hpp>
#include <tenet/align/kto.hpp>
#include <tenet/align/metrics.hpp>
#include <tenet/align/orpo.hpp>
#include <tenet/align/reward.hpp>
#include <tenet/align/simpo.hpp>

using namespace gradient_check;

struct Pair : at_most<6> {};
struct Prompt : axis<3> {};
struct Rank : axis<4> {};
struct Time : axis<5> {};

namespace losses_test {

using pairs = tensor<double, Pair>;

double ln_sigmoid(double x) {
    return x < 0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x));
}
double sigma(double x) {
    return 1 / (1 + std::exp(-x));
}
template <class F>
double average(std::size_t n, F f) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += f(i);
    return sum / static_cast<double>(n);
}

// Every loss with a factor of its own: a gradient that is wrong in one cannot hide.
struct all_of_pairs {
    constexpr auto operator()(auto pc, auto pr, auto rc, auto rr, auto nc, auto nr) const {
        const auto dpo = dpo_loss<Pair>(pc, pr, rc, rr, {.beta = 0.3});
        const auto cdpo = dpo_loss<Pair>(pc, pr, rc, rr, {.beta = 0.3, .label_smoothing = 0.2});
        const auto robust = robust_dpo_loss<Pair>(pc, pr, rc, rr, {.beta = 0.3, .label_smoothing = 0.2});
        const auto hinge = hinge_dpo_loss<Pair>(pc, pr, rc, rr, {.beta = 0.3});
        const auto ipo = ipo_loss<Pair>(pc, pr, rc, rr, {.beta = 0.3});
        const auto ipo_average = ipo_average_loss<Pair>(pc, pr, rc, rr, nc, nr, {.beta = 0.3});
        const auto free = dpo_loss<Pair>(pc, pr, rc, rr, {.beta = 0.3, .reference_free = true});
        const auto total = dpo + 0.7 * cdpo + 1.3 * robust + 0.9 * hinge + 0.01 * ipo + 1.1 * ipo_average + 0.8 * free;
        return std::tuple{total, dpo, cdpo, robust, hinge, ipo, ipo_average, free, implicit_reward(pc, rc, 0.3)};
    }
};
// The policy's side only: references and lengths are values, which have no gradient.
template <class F>
using pair_program = basic_program<double, program_mode::gradients, models<>, F, variable<Pair>, variable<Pair>,
                                   values<Pair>, values<Pair>, values<Pair>, values<Pair>>;

pairs logp(unsigned seed, double low = -30, double high = -5) {
    return uniform<pairs>(seed, low, high, extent<Pair>(5));
}

template <std::size_t I, class P, class Run>
void expect_gradient(P& p, pairs& x, Run run) {
    run();
    const auto found = p.template input_gradient<I>();
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double at = x(i), step = 1e-5;
        x(i) = at + step;
        const double above = run();
        x(i) = at - step;
        const double below = run();
        x(i) = at;
        BOOST_TEST(std::fabs((above - below) / (2 * step) - found(i)) < 1e-7 * std::fmax(1, std::fabs(found(i))));
    }
}

}  // namespace losses_test
using namespace losses_test;

BOOST_AUTO_TEST_CASE(direct_preference_losses) {
    auto pc = logp(1), pr = logp(2);
    const auto rc = logp(3), rr = logp(4);
    const auto nc = uniform<pairs>(5, 3, 9, extent<Pair>(5)), nr = uniform<pairs>(6, 3, 9, extent<Pair>(5));
    pair_program<all_of_pairs> p;
    const auto run = [&] { return p(pc, pr, rc, rr, nc, nr); };
    run();
    const double b = 0.3, e = 0.2;
    const auto h = [&](std::size_t i) { return pc(i) - pr(i) - (rc(i) - rr(i)); };
    const auto close = [](double found, double expected) {
        BOOST_TEST(std::fabs(found - expected) <= 1e-12 * std::fmax(1, std::fabs(expected)));
    };
    close(*p.result<1>().data(), average(5, [&](auto i) { return -ln_sigmoid(b * h(i)); }));
    close(*p.result<2>().data(),
          average(5, [&](auto i) { return -(1 - e) * ln_sigmoid(b * h(i)) - e * ln_sigmoid(-b * h(i)); }));
    close(*p.result<3>().data(), average(5, [&](auto i) {
        return (-(1 - e) * ln_sigmoid(b * h(i)) + e * ln_sigmoid(-b * h(i))) / (1 - 2 * e);
    }));
    close(*p.result<4>().data(), average(5, [&](auto i) { return std::fmax(0, 1 - b * h(i)); }));
    close(*p.result<5>().data(), average(5, [&](auto i) { return std::pow(h(i) - 1 / (2 * b), 2); }));
    // TRL divides each log-probability by its own completion's length; on sums the number is another one.
    const auto per_token = [&](auto i) { return (pc(i) - rc(i)) / nc(i) - (pr(i) - rr(i)) / nr(i); };
    close(*p.result<6>().data(), average(5, [&](auto i) { return std::pow(per_token(i) - 1 / (2 * b), 2); }));
    BOOST_TEST(std::fabs(*p.result<5>().data() - *p.result<6>().data()) > 1);
    close(*p.result<7>().data(), average(5, [&](auto i) { return -ln_sigmoid(b * (pc(i) - pr(i))); }));
    close(p.result<8>()(2), b * (pc(2) - rc(2)));
    expect_gradient<0>(p, pc, run);
    expect_gradient<1>(p, pr, run);
}

// The reference implementation's numbers for one pair, and the loss of a policy that is its reference.
BOOST_AUTO_TEST_CASE(known_values) {
    const tensor<double, Prompt> pc{-10, -10, -10}, pr{-12, -12, -12}, rc{-11, -11, -11}, rr{-11.5, -11.5, -11.5};
    tensor<double> loss = dpo_loss<Prompt>(pc, pr, rc, rr);
    BOOST_TEST(std::fabs(*loss.data() - 0.620957) < 1e-6);
    loss = dpo_loss<Prompt>(pc, pr, rc, rr, {.label_smoothing = 0.1});
    BOOST_TEST(std::fabs(*loss.data() - 0.635957) < 1e-6);
    loss = ipo_loss<Prompt>(pc, pr, rc, rr);
    BOOST_TEST(std::fabs(*loss.data() - 12.25) < 1e-12);
    loss = hinge_dpo_loss<Prompt>(pc, pr, rc, rr);
    BOOST_TEST(std::fabs(*loss.data() - 0.85) < 1e-12);
    loss = dpo_loss<Prompt>(pc, pr, pc, pr);
    BOOST_TEST(std::fabs(*loss.data() - std::log(2.0)) < 1e-15);
    // Far beyond what exp can hold.
    const tensor<double, Prompt> far{-5000, 5000, 0}, none{0, 0, 0};
    loss = dpo_loss<Prompt>(far, none, none, none, {.beta = 1});
    BOOST_TEST(std::fabs(*loss.data() - (5000 + std::log(2.0)) / 3) < 1e-9);
}

// A beta of 0 leaves the loss at ln 2 for ever, which looks like a training that does not learn.
BOOST_AUTO_TEST_CASE(options_that_cannot_train_are_errors) {
    const tensor<double, Prompt> x{-1, -2, -3};
    BOOST_CHECK_THROW(static_cast<void>(dpo_loss<Prompt>(x, x, x, x, {.beta = 0})), tenet::exception);
    BOOST_CHECK_THROW(static_cast<void>(dpo_loss<Prompt>(x, x, x, x, {.label_smoothing = 0.5})), tenet::exception);
    BOOST_CHECK_THROW(static_cast<void>(ipo_loss<Prompt>(x, x, x, x, {.label_smoothing = 0.1})), tenet::exception);
    BOOST_CHECK_THROW(static_cast<void>(robust_dpo_loss<Prompt>(x, x, x, x, {.label_smoothing = -0.1})),
                      tenet::exception);
    BOOST_CHECK_THROW(static_cast<void>(simpo_loss<Prompt>(x, x, {.beta = -1})), tenet::exception);
    BOOST_CHECK_THROW(static_cast<void>(reward_pairwise_loss<Prompt>(x, x, {.centering = -1})), tenet::exception);
}

namespace losses_test {

struct without_reference {
    constexpr auto operator()(auto c, auto r, auto kp, auto kr, auto policy, auto reference, auto good) const {
        const auto simpo = simpo_loss<Pair>(c, r, {.beta = 2, .gamma = 0.6, .label_smoothing = 0.1});
        const auto orpo = orpo_loss<Pair>(c, r, mean<Pair>(-c), {.beta = 0.4});
        const auto point = kto_reference_point<Pair>(kp, kr);
        const auto kto = kto_loss<Pair>(policy, reference, good, point,
                                        {.beta = 0.2, .desirable_weight = 1.5, .undesirable_weight = 0.5});
        return std::tuple{simpo + 0.8 * orpo + 3.0 * kto, simpo, orpo, kto, point, log1mexp(c)};
    }
};

}  // namespace losses_test

BOOST_AUTO_TEST_CASE(losses_without_a_reference_and_kto) {
    auto c = logp(11, -1.5, -0.1), r = logp(12, -1.5, -0.1), policy = logp(13, -8, -4), reference = logp(14, -8, -4);
    c(0) = -1e-9;  // p near 1: ln(1 - p) must not cancel
    c(1) = -45;    // and near 0
    auto kp = logp(15, -6, -5), kr = logp(16, -9, -7);
    tensor<bool, Pair> good(extent<Pair>(5));
    for (std::size_t i = 0; i < 5; ++i) good(i) = i % 2 == 0;
    basic_program<double, program_mode::gradients, models<>, without_reference, variable<Pair>, variable<Pair>,
                  variable<Pair>, variable<Pair>, variable<Pair>, variable<Pair>, booleans<Pair>>
        p;
    const auto run = [&] { return p(c, r, kp, kr, policy, reference, good); };
    run();
    const auto close = [](double found, double expected) {
        BOOST_TEST(std::fabs(found - expected) <= 1e-11 * std::fmax(1, std::fabs(expected)));
    };
    close(*p.result<1>().data(), average(5, [&](auto i) {
        const double g = 2 * (c(i) - r(i)) - 0.6;
        return -0.9 * ln_sigmoid(g) - 0.1 * ln_sigmoid(-g);
    }));
    const auto odds = [](double x) { return x - (x > -0.7 ? std::log(-std::expm1(x)) : std::log1p(-std::exp(x))); };
    close(*p.result<2>().data(), average(5, [&](auto i) { return -c(i) - 0.4 * ln_sigmoid(odds(c(i)) - odds(r(i))); }));
    const double z = std::fmax(0, average(5, [&](auto i) { return kp(i) - kr(i); }));
    BOOST_TEST(z > 1);
    close(*p.result<4>().data(), z);
    close(*p.result<3>().data(), average(5, [&](auto i) {
        const double ratio = policy(i) - reference(i);
        return good(i) ? 1.5 * (1 - sigma(0.2 * (ratio - z))) : 0.5 * (1 - sigma(0.2 * (z - ratio)));
    }));
    BOOST_TEST(std::fabs(p.result<5>()(0) - std::log(1e-9)) < 1e-8);
    BOOST_TEST(std::fabs(p.result<5>()(1) / std::exp(-45.0) + 1) < 1e-12);
    c(0) = -0.4;  // central differences need room below 0
    run();
    for (double g : p.input_gradient<2>()) BOOST_TEST(g == 0);  // the reference point is detached,
    for (double g : p.input_gradient<3>()) BOOST_TEST(g == 0);
    for (double g : p.input_gradient<5>()) BOOST_TEST(g == 0);  // and so is the reference
    expect_gradient<0>(p, c, run);
    expect_gradient<1>(p, r, run);
    expect_gradient<4>(p, policy, run);
    kp(0) -= 50;  // a negative estimate counts as 0
    run();
    BOOST_TEST(*p.result<4>().data() == 0);
}

namespace losses_test {

struct rewards {
    constexpr auto operator()(auto c, auto r, auto m, auto scores, auto counts) const {
        const auto plain = reward_pairwise_loss<Pair>(c, r, {.centering = 0.05});
        const auto margin = reward_pairwise_loss<Pair>(c, r, m);
        const auto ranked = reward_ranked_loss<Prompt, Rank>(scores);
        const auto ragged = reward_ranked_loss<Prompt, Rank>(scores, counts);
        return std::tuple{plain + 0.6 * margin + 1.2 * ranked + 0.5 * ragged, plain, margin, ranked, ragged};
    }
};

}  // namespace losses_test

BOOST_AUTO_TEST_CASE(reward_losses) {
    auto c = logp(21, -2, 2), r = logp(22, -2, 2);
    const auto m = logp(23, 0, 1);
    const auto scores = uniform<tensor<double, Prompt, Rank>>(24, -2, 2);
    const tensor<double, Prompt> counts{4, 2, 1};
    basic_program<double, program_mode::gradients, models<>, rewards, variable<Pair>, variable<Pair>, values<Pair>,
                  variable<Prompt, Rank>, values<Prompt>>
        p;
    const auto run = [&] { return p(c, r, m, scores, counts); };
    run();
    const auto close = [](double found, double expected) { BOOST_TEST(std::fabs(found - expected) <= 1e-12); };
    close(*p.result<1>().data(),
          average(5, [&](auto i) { return -ln_sigmoid(c(i) - r(i)) + 0.05 * (c(i) + r(i)) * (c(i) + r(i)); }));
    close(*p.result<2>().data(), average(5, [&](auto i) { return -ln_sigmoid(c(i) - r(i) - m(i)); }));
    // All pairs of a prompt, and each prompt with the weight 1 / C(K,2).
    const auto ranked = [&](auto count) {
        return average(3, [&](std::size_t q) {
            double sum = 0, pairs_of = 0;
            for (std::size_t a = 0; a < count(q); ++a)
                for (std::size_t b = a + 1; b < count(q); ++b, ++pairs_of)
                    sum -= ln_sigmoid(scores(q, a) - scores(q, b));
            return pairs_of > 0 ? sum / pairs_of : 0;
        });
    };
    close(*p.result<3>().data(), ranked([](std::size_t) { return std::size_t{4}; }));
    close(*p.result<4>().data(), ranked([&](std::size_t q) { return static_cast<std::size_t>(counts(q)); }));
    expect_gradient<0>(p, c, run);
    expect_gradient<1>(p, r, run);
    auto moved = scores;
    const auto found = p.input_gradient<3>();
    for (std::size_t i = 0; i < moved.size(); ++i) {
        const double at = moved.data()[i];
        moved.data()[i] = at + 1e-5;
        const double above = p(c, r, m, moved, counts);
        moved.data()[i] = at - 1e-5;
        const double below = p(c, r, m, moved, counts);
        moved.data()[i] = at;
        BOOST_TEST(std::fabs((above - below) / 2e-5 - found.data()[i]) < 1e-8);
    }
}
