// SPDX-License-Identifier: MIT
// Low-rank adapters: what they compute is what merged weights compute; gradients; first values; merging; what a frozen
// base costs.
#define BOOST_TEST_MODULE adapt_lora
#include "small_gpt.hpp"

#include <tenet/adapt.hpp>

using namespace small_gpt;
using namespace program_check;

namespace {

using linear_layers = lora<gpt, 2, targets<"attn.c_attn", "mlp">, lora_options{.alpha = 4}>;
using parts_and_table = lora<gpt, 3, any_of<per_axis<QKV, "c_attn">, inside<attention_module>, targets<"wte">>,
                             lora_options{.alpha = 6, .rank_stabilized = true}>;
using magnitudes = lora<gpt, 2, all_linear, lora_options{.magnitude = true}>;

template <class Adapter, class Base = gpt>
using adapted = basic_program<double, program_mode::gradients, models<Base, Adapter>, adapted_loss, tokens<Batch, Time>,
                              tokens<Batch, Time>>;
using plain = basic_program<double, program_mode::gradients, gpt, plain_loss, tokens<Batch, Time>, tokens<Batch, Time>>;

// Nothing of the base is trained: neither gradients nor their memory.
static_assert(adapted<linear_layers>::gradient_elements == parameter_elements<linear_layers>);
static_assert(adapted<parts_and_table>::gradient_elements == parameter_elements<parts_and_table>);
static_assert(parameter_count<linear_layers> == 2 * (2 * (8 + 24) + 2 * (8 + 16) + 2 * (16 + 8)));
// Three factors of rank 3 for c_attn, one for c_proj, one for the table.
static_assert(parameter_count<parts_and_table> == 2 * (3 * 3 * 8 + 3 * 24 + 3 * (8 + 8)) + 3 * (11 + 8));

const auto x = random_tokens<ids>(1, 11, extent<Batch>(3));
const auto y = random_tokens<ids>(2, 11, extent<Batch>(3));

template <class Adapter>
void expect_merging_changes_nothing() {
    auto base = random_parameters<gpt>(1);
    const auto before = base;
    const auto delta = random_parameters<Adapter>(2);
    adapted<Adapter> step;
    const double loss = step(base, delta, x, y);
    plain run;
    BOOST_TEST(std::fabs(run(base, x, y) - loss) > 1e-4);

    auto merged = merge(std::move(base), delta);
    BOOST_TEST(std::fabs(run(merged.weights(), x, y) - loss) < 1e-12);
    const auto after = std::move(merged).unmerge();
    BOOST_TEST(std::memcmp(after.data(), before.data(), before.size() * sizeof(double)) == 0);
    BOOST_TEST(step(after, delta, x, y) == loss);
}

}  // namespace

BOOST_AUTO_TEST_CASE(merged_weights_compute_the_same) {
    expect_merging_changes_nothing<linear_layers>();
    expect_merging_changes_nothing<parts_and_table>();
    expect_merging_changes_nothing<magnitudes>();
}

BOOST_AUTO_TEST_CASE(gradients) {
    auto base = random_parameters<gpt>(1);
    auto delta = random_parameters<linear_layers>(2);
    adapted<linear_layers> step;
    expect_parameter_gradients(step, {{base.data(), base.size()}, {delta.data(), delta.size()}},
                               [&] { return step(base, delta, x, y); });
    auto parts = random_parameters<parts_and_table>(2);
    adapted<parts_and_table> other;
    expect_parameter_gradients(other, {{base.data(), base.size()}, {parts.data(), parts.size()}},
                               [&] { return other(base, parts, x, y); });
}

// Recomputing layers of a frozen base must not cut the adapter off from its gradients.
BOOST_AUTO_TEST_CASE(recomputed_layers_of_a_frozen_base) {
    using recomputed_layers = lora<recomputed_gpt, 2, targets<"attn.c_attn", "mlp">, lora_options{.alpha = 4}>;
    const auto base = random_parameters<gpt>(1);
    const auto delta = random_parameters<linear_layers>(2);
    parameters<recomputed_gpt, double> same_base;
    parameters<recomputed_layers, double> same_delta;
    BOOST_TEST_REQUIRE(same_base.size() == base.size());
    BOOST_TEST_REQUIRE(same_delta.size() == delta.size());
    std::copy_n(base.data(), base.size(), same_base.data());
    std::copy_n(delta.data(), delta.size(), same_delta.data());
    adapted<linear_layers> kept;
    adapted<recomputed_layers, recomputed_gpt> recomputed;
    BOOST_TEST(kept(base, delta, x, y) == recomputed(same_base, same_delta, x, y));
    double largest = 0;
    for (double g : kept.gradients()) largest = std::fmax(largest, std::fabs(g));
    BOOST_TEST(largest > 1e-3);
    BOOST_TEST(greatest_difference(kept.gradients(), recomputed.gradients()) <= 1e-14);
}

BOOST_AUTO_TEST_CASE(gradients_of_magnitudes_with_fixed_norms) {
    const auto base = random_parameters<gpt>(1);
    auto delta = random_parameters<magnitudes>(2);
    adapted<magnitudes> step;
    step(base, delta, x, y);
    for (parameter_leaf const& leaf : parameter_leaves<magnitudes>) {
        if (leaf.role.view() != "lora_magnitude_vector") continue;
        for (std::size_t i = leaf.offset; i < leaf.offset + leaf.elements; ++i) {
            step(base, delta, x, y);
            const double gradient = step.gradients()[i], at = delta.data()[i];
            delta.data()[i] = at + 1e-5;
            const double above = step(base, delta, x, y);
            delta.data()[i] = at - 1e-5;
            const double below = step(base, delta, x, y);
            delta.data()[i] = at;
            BOOST_TEST(std::fabs((above - below) / 2e-5 - gradient) < 1e-8);
        }
    }
}

BOOST_AUTO_TEST_CASE(training_starts_from_the_base) {
    const auto base = random_parameters<gpt>(1);
    plain run;
    const double loss = run(base, x, y);

    parameters<linear_layers, double> delta;
    initialize_adapter(delta, 7);
    adapted<linear_layers> step;
    BOOST_TEST(step(base, delta, x, y) == loss);
    const double bound = 1 / std::sqrt(8.0);
    double largest = 0;
    for (double a : delta.span("h.1.attn.c_attn.lora_A")) largest = std::max(largest, std::fabs(a));
    BOOST_TEST(largest > bound / 2);
    BOOST_TEST(largest <= bound);
    for (double b : delta.span("h.1.attn.c_attn.lora_B")) BOOST_TEST(b == 0);
    // The adapter is reached: with B zero, B has a gradient and A has none.
    double of_a = 0, of_b = 0;
    for (parameter_leaf const& leaf : parameter_leaves<linear_layers>)
        for (std::size_t i = 0; i < leaf.elements; ++i)
            (leaf.role.view() == "lora_A" ? of_a : of_b) += std::fabs(step.gradients()[leaf.offset + i]);
    BOOST_TEST(of_a == 0);
    BOOST_TEST(of_b > 0);

    parameters<parts_and_table, double> parts;
    initialize_adapter(parts, 7);
    for (double a : parts.span("wte.lora_embedding_A")) BOOST_TEST(a == 0);
    BOOST_TEST(parts.span("wte.lora_embedding_B")[0] != 0);

    parameters<magnitudes, double> lengths;
    initialize_adapter(lengths, 7, base);
    adapted<magnitudes> directions;
    BOOST_TEST(std::fabs(directions(base, lengths, x, y) - loss) < 1e-12);
}

BOOST_AUTO_TEST_CASE(dropout_only_while_training) {
    using dropped = lora<gpt, 2, targets<"mlp">, lora_options{.dropout_percent = 50}>;
    using training = program_of<double, models<gpt, dropped>, adapted_loss, tokens<Batch, Time>, tokens<Batch, Time>>;
    const auto base = random_parameters<gpt>(1);
    const auto delta = random_parameters<dropped>(2);
    adapted<dropped> quiet;
    training noisy;
    const double loss = quiet(base, delta, x, y);
    noisy.set_random_state(1, 0);
    const double first = noisy(base, delta, x, y);
    noisy.set_random_state(1, 1);
    const double second = noisy(base, delta, x, y);
    noisy.set_random_state(1, 0);
    BOOST_TEST(first == noisy(base, delta, x, y));
    BOOST_TEST(first != second);
    BOOST_TEST(first != loss);
}

BOOST_AUTO_TEST_CASE(adapters_by_name) {
    adapter_set<linear_layers, double> tuned;
    BOOST_CHECK_THROW(tuned.active(), exception);
    randomise(std::span(tuned.add("poems").data(), 4), 1);
    tuned.add("code");
    BOOST_TEST(tuned.active_name() == "poems");
    const auto base = random_parameters<gpt>(1);
    adapted<linear_layers> step;
    const double poems = step(base, tuned.active(), x, y);
    tuned.activate("code");
    BOOST_TEST(step(base, tuned.active(), x, y) == plain{}(base, x, y));
    tuned.activate("poems");
    BOOST_TEST(step(base, tuned.active(), x, y) == poems);
    BOOST_CHECK_THROW(tuned.add("code"), exception);
    BOOST_CHECK_EXCEPTION(tuned.activate("prose"), exception, [](exception const& e) {
        return std::string(e.what()).find("\"code\", \"poems\"") != std::string::npos;
    });
}
