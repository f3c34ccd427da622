// SPDX-License-Identifier: MIT
// Gradients of several batches against those of one large batch, where the batches have different numbers of trained
// tokens.
#define BOOST_TEST_MODULE optim_gradient_accumulator
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <tenet/data/completion_batch.hpp>
#include <tenet/nn/embedding.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/op.hpp>
#include <tenet/optim/clip.hpp>
#include <tenet/optim/gradient_accumulator.hpp>
#include <tenet/parallel/threads.hpp>
#include <tenet/program/program.hpp>

using namespace tenet;

namespace {

struct Batch : at_most<4> {};
struct Time : axis<6> {};
struct Vocab : axis<11> {};
struct Embed : axis<5> {};

struct model {
    nn::embedding<Vocab, Embed> wte;
    parameter<Embed, Vocab> head;
    constexpr auto operator()(auto tokens) const { return dot<Embed>(tanh(wte(tokens)), head); }
};
struct loss_of_completions {
    constexpr auto operator()(auto const& m, auto tokens, CompletionTargets auto targets) const {
        return cross_entropy<Vocab>(m(tokens), targets.tokens());
    }
};
using step_type = program_of<double, model, loss_of_completions, tokens<Batch, Time>, completions<Batch, Time>>;
using ids = std::vector<std::int32_t>;

const std::vector<completion_row> rows{{{1, 2, 3}, 1}, {{4, 5, 6, 7, 8, 9}, 2}, {{1, 10}, 1}, {{2, 3, 4, 5}, 3}};

completion_batch<Batch, Time> batch_of(std::size_t first, std::size_t last) {
    completion_batch<Batch, Time> b(completion_options{}, last - first);
    for (std::size_t r = first; r < last; ++r) b.set(r - first, rows[r]);
    return b;
}

parameters<model, double> first_weights() {
    parameters<model, double> theta;
    initialize(theta, init::gpt2{}, 3);
    return theta;
}

/// The gradients of the rows, `each` at a time.
std::vector<double> accumulated(std::size_t each, double& loss) {
    const auto theta = first_weights();
    step_type step;
    gradient_accumulator sum(step);
    for (std::size_t r = 0; r < rows.size(); r += each) {
        const auto b = batch_of(r, r + each);
        sum.add(step, step.value_and_grad(theta, b.tokens(), b.targets()), static_cast<double>(b.targets().count()));
    }
    loss = sum.take(step);
    return {step.gradients().begin(), step.gradients().end()};
}

}  // namespace

BOOST_AUTO_TEST_CASE(small_batches_give_what_one_large_batch_gives) {
    double whole = 0, halves = 0, singles = 0;
    const auto of_whole = accumulated(4, whole), of_halves = accumulated(2, halves),
               of_singles = accumulated(1, singles);
    BOOST_TEST(std::fabs(whole - halves) < 1e-14);
    BOOST_TEST(std::fabs(whole - singles) < 1e-14);
    double largest = 0;
    for (std::size_t i = 0; i < of_whole.size(); ++i) {
        largest = std::max(largest, std::fabs(of_whole[i]));
        BOOST_TEST(std::fabs(of_whole[i] - of_halves[i]) < 1e-14);
        BOOST_TEST(std::fabs(of_whole[i] - of_singles[i]) < 1e-14);
    }
    BOOST_TEST(largest > 1e-3);
}

BOOST_AUTO_TEST_CASE(it_starts_anew_after_take) {
    const auto theta = first_weights();
    const auto b = batch_of(0, 4);
    step_type step;
    gradient_accumulator sum(step);
    sum.add(step, step.value_and_grad(theta, b.tokens(), b.targets()), 7);
    const double first = sum.take(step);
    const std::vector<double> before(step.gradients().begin(), step.gradients().end());
    BOOST_TEST(sum.weight() == 0);
    BOOST_CHECK_THROW(sum.take(step), exception);
    sum.add(step, step.value_and_grad(theta, b.tokens(), b.targets()), 7);
    BOOST_TEST(sum.take(step) == first);
    BOOST_TEST(std::memcmp(before.data(), step.gradients().data(), before.size() * sizeof(double)) == 0);
}

// A batch without a trained token has no mean; nothing of it may be added.
BOOST_AUTO_TEST_CASE(a_batch_of_weight_zero_counts_for_nothing) {
    const auto theta = first_weights();
    const completion_batch<Batch, Time> empty(completion_options{}, 2);
    const auto b = batch_of(0, 4);
    step_type step;
    gradient_accumulator sum(step);
    const double loss = step.value_and_grad(theta, b.tokens(), b.targets());
    const std::vector<double> before(step.gradients().begin(), step.gradients().end());
    sum.add(step, loss, 1);
    sum.add(step, step.value_and_grad(theta, empty.tokens(), empty.targets()), 0);
    BOOST_TEST(sum.take(step) == loss);
    BOOST_TEST(std::memcmp(before.data(), step.gradients().data(), before.size() * sizeof(double)) == 0);
    BOOST_CHECK_THROW(sum.add(step, 1, -1), exception);
    BOOST_CHECK_THROW(sum.add(step, 1, std::numeric_limits<double>::quiet_NaN()), exception);
}
