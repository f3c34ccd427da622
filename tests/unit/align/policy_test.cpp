// SPDX-License-Identifier: MIT
// Policy and reference by type, rewards of whole texts, and a policy that learns what is preferred.
#define BOOST_TEST_MODULE align_policy
#include "../../support/program_check.hpp"

#include <tenet/align/dpo.hpp>
#include <tenet/align/metrics.hpp>
#include <tenet/align/reference.hpp>
#include <tenet/align/reward.hpp>
#include <tenet/align/scalar_head.hpp>
#include <tenet/align/sequence_log_probability.hpp>
#include <tenet/data/preference_batch.hpp>
#include <tenet/optim/adamw.hpp>

using namespace program_check;

struct Pair : at_most<4> {};
struct Time : axis<6> {};
struct Vocab : axis<9> {};
struct Embed : axis<8> {};
struct Low : axis<2> {};

namespace policy_test {

// Says the next token from the one before it: enough for what is tested here, and causal.
struct bigram {
    parameter<Vocab, Embed> table{};
    affine<Embed, Vocab> head{};
    constexpr auto features(auto tokens) const { return tanh(lookup(table, tokens)); }
    constexpr auto operator()(auto tokens) const { return head(features(tokens)); }
};

struct low_rank {
    static constexpr std::string_view targets[] = {"head.weight"};
    static constexpr void declare(parameter_leaf const&, adapter_declaration& d) {
        d.add("down", {&axis_info_of<Embed>, &axis_info_of<Low>});
        d.add("up", {&axis_info_of<Low>, &axis_info_of<Vocab>});
    }
    static constexpr graph::value substitute(adapter_site const& s) {
        graph::builder& g = s.input.graph();
        const int embed = g.axis_id(&axis_info_of<Embed>), low = g.axis_id(&axis_info_of<Low>),
                  vocab = g.axis_id(&axis_info_of<Vocab>);
        graph::axis_list down, up, middle = graph::minus(s.input.axes(), s.contracted);
        down.push(embed), down.push(low), up.push(low), up.push(vocab), middle.push(low);
        const graph::value narrow = graph::contract(s.input, s.parameter("down", down), middle);
        return s.plain + graph::contract(narrow, s.parameter("up", up), s.plain.axes());
    }
};
using adapter = adapter_of<bigram, low_rank>;

template <class Kind>
struct preference {
    constexpr auto operator()(auto const& first, auto const& second, auto tokens, auto targets) const {
        using pair = policy_and_reference<Kind>;
        const auto policy = sequence_log_probability<Vocab, Time>(pair::policy(first, second)(tokens), targets);
        const auto reference = sequence_log_probability<Vocab, Time>(pair::reference(first, second)(tokens), targets);
        const auto loss =
            dpo_loss<Pair>(chosen(policy), rejected(policy), chosen(reference), rejected(reference), {.beta = 0.2});
        return std::tuple{loss, policy, reference};
    }
};
template <class Kind, class... Models>
using step_of = program_of<double, typename policy_and_reference<Kind>::template models_of<Models...>, preference<Kind>,
                           tokens<Pair, preference_side, Time>, completions<Pair, preference_side, Time>>;
using adapted = step_of<adapter_off, bigram, adapter>;
using copied = step_of<frozen_copy, bigram>;

// A rule to be learnt: the chosen completion counts up, the rejected one down.
preference_batch<Pair, Time> pairs() {
    preference_batch<Pair, Time> batch({.end_of_text = 8, .pad = 8}, 3);
    const std::vector<std::int32_t> up[] = {{3, 4, 5}, {2, 3}, {5, 6, 7}}, down[] = {{3, 2, 1}, {2, 1}, {5, 4, 3}};
    for (std::size_t i = 0; i < 3; ++i) batch.set(i, std::vector<std::int32_t>{0, up[i][0]}, up[i], down[i]);
    return batch;
}

}  // namespace policy_test
using namespace policy_test;

// What is frozen has no gradient: with the adapter off there is one block of weights, and none of it is trained.
static_assert(adapted::gradient_elements == parameter_elements<adapter>);
static_assert(copied::gradient_elements == parameter_elements<bigram>);

BOOST_AUTO_TEST_CASE(an_untrained_adapter_is_its_reference) {
    const auto batch = pairs();
    auto base = random_parameters<bigram>(1);
    parameters<adapter, double> delta;
    randomise(delta.span("head.down"), 5);
    adapted step;
    BOOST_TEST(std::fabs(step(base, delta, batch.tokens(), batch.targets()) - std::log(2.0)) < 1e-14);
    const auto policy = step.result<1>(), reference = step.result<2>();
    BOOST_TEST(greatest_difference(policy, reference) == 0);
    expect_some_gradient(step);

    // Both factors 0: nothing would ever move, and the loss says ln 2 as it should at the start.
    parameters<adapter, double> dead;
    BOOST_TEST(std::fabs(step(base, dead, batch.tokens(), batch.targets()) - std::log(2.0)) < 1e-14);
    BOOST_CHECK_THROW(expect_some_gradient(step), tenet::exception);
    dead.span("head.down")[0] = std::nan("");
    step(base, dead, batch.tokens(), batch.targets());
    BOOST_CHECK_THROW(expect_some_gradient(step), tenet::exception);
}

BOOST_AUTO_TEST_CASE(an_adapter_learns_and_its_reference_stays) {
    const auto batch = pairs();
    auto base = random_parameters<bigram>(1);
    const std::vector<double> before(base.data(), base.data() + base.size());
    parameters<adapter, double> delta;
    randomise(delta.span("head.down"), 5);
    adapted step;
    adamw<adapted, 1> optimiser({.weight_decay = 0});
    double loss = 0;
    for (int i = 0; i < 80; ++i) {
        loss = step(base, delta, batch.tokens(), batch.targets());
        if (i < 79) optimiser.step(delta, step, 0.05);
    }
    BOOST_TEST(loss < 0.35);
    BOOST_TEST(std::equal(before.begin(), before.end(), base.data()));
    const auto policy = step.result<1>(), reference = step.result<2>();
    std::vector<double> side[4];
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t s = 0; s < 2; ++s) {
            side[s].push_back(policy(i, s));
            side[2 + s].push_back(reference(i, s));
        }
    const auto m = metrics_of_policy(side[0], side[1], side[2], side[3], 0.2);
    BOOST_TEST(m.accuracy == 1);
    BOOST_TEST(m.margin > 0.5);
    // The same by a copy of the base, into which the adapter is merged.
    auto merged = base;
    const auto down = delta.span("head.down"), up = delta.span("head.up");
    const auto w = merged.span("head.weight");
    for (std::size_t e = 0; e < 8; ++e)
        for (std::size_t v = 0; v < 9; ++v)
            for (std::size_t r = 0; r < 2; ++r) w[e * 9 + v] += down[e * 2 + r] * up[r * 9 + v];
    copied other;
    BOOST_TEST(std::fabs(other(merged, base, batch.tokens(), batch.targets()) - loss) < 1e-12);
    expect_parameter_gradients(other, {{merged.data(), merged.size()}, {base.data(), base.size()}},
                               [&] { return other(merged, base, batch.tokens(), batch.targets()); });
}

namespace policy_test {

struct judge {
    bigram trunk{};
    nn::scalar_head<Embed> score{};
    constexpr auto operator()(auto tokens, auto last) const {
        return score(last_token<Time>(trunk.features(tokens), last));
    }
};
struct judge_loss {
    constexpr auto operator()(auto const& m, auto tokens, auto last) const {
        const auto r = m(tokens, last);
        return std::tuple{reward_pairwise_loss<Pair>(chosen(r), rejected(r)), r};
    }
};

}  // namespace policy_test

// The reward is that of the last real token: with a padding token of its own and with the end-of-text token as padding
// alike, and whatever stands behind.
BOOST_AUTO_TEST_CASE(a_reward_is_read_at_the_last_real_token) {
    preference_batch<Pair, Time> plain({.end_of_text = 8, .pad = 7}, 2), same({.end_of_text = 8, .pad = 8}, 2);
    for (auto* b : {&plain, &same}) {
        b->set(0, std::vector<std::int32_t>{1, 2}, std::vector<std::int32_t>{3}, std::vector<std::int32_t>{4, 5, 6});
        b->set(1, std::vector<std::int32_t>{8, 2}, std::vector<std::int32_t>{8}, std::vector<std::int32_t>{8, 1});
    }
    auto theta = random_parameters<judge>(3);
    basic_program<double, program_mode::gradients, judge, judge_loss, tokens<Pair, preference_side, Time>,
                  tokens<Pair, preference_side>>
        p;
    const double loss = p(theta, plain.tokens(), plain.last());
    const auto r = p.result<1>();
    const auto reward_of = [&](std::size_t token) {
        double sum = *theta.span("score.bias").data();
        for (std::size_t e = 0; e < 8; ++e)
            sum += std::tanh(theta.span("trunk.table")[token * 8 + e]) * theta.span("score.weight")[e];
        return sum;
    };
    BOOST_TEST(std::fabs(r(0, 0) - reward_of(8)) < 1e-14);
    BOOST_TEST(std::fabs(r(1, 1) - reward_of(8)) < 1e-14);
    BOOST_TEST(p(theta, same.tokens(), same.last()) == loss);
    BOOST_TEST(greatest_difference(p.result<1>(), r) == 0);
    // Without an end-of-text token the last one of the completion is read.
    preference_batch<Pair, Time> open({.pad = 8}, 1);
    open.set(0, std::vector<std::int32_t>{1}, std::vector<std::int32_t>{3}, std::vector<std::int32_t>{4, 5});
    p(theta, open.tokens(), open.last());
    BOOST_TEST(std::fabs(p.result<1>()(0, 0) - reward_of(3)) < 1e-14);
    BOOST_TEST(std::fabs(p.result<1>()(0, 1) - reward_of(5)) < 1e-14);
    expect_parameter_gradients(p, {{theta.data(), theta.size()}}, [&] { return p(theta, open.tokens(), open.last()); });
    // Its mean over texts is moved to 0 by the bias.
    p(theta, same.tokens(), same.last());
    *theta.span("score.bias").data() += reward_scale::centred(p.result<1>()).bias;
    p(theta, same.tokens(), same.last());
    BOOST_TEST(std::fabs(mean_of(p.result<1>())) < 1e-14);
}
