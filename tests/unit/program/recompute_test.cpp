// SPDX-License-Identifier: MIT
// Norms and activations are computed again in the backward pass instead of kept: that the gradients are right, of first
// and second order, and what is not kept; and results that take the place of an operand.
#define BOOST_TEST_MODULE program_recompute
#include "../../support/program_check.hpp"

using namespace program_check;

struct N : axis<2048> {};
struct E : axis<8> {};
struct F : axis<8> {};
struct H : axis<8> {};
static_assert(N::capacity * E::capacity >= graph::least_recomputed);
struct Few : axis<4> {};
struct Classes : axis<16> {};

namespace recompute_test {

struct layer_norm_gelu {
    parameter<E> gain{}, shift{};
    affine<E, H> up{};
    affine<H, E> down{};
    constexpr auto operator()(auto x) const { return x + down(gelu(up(layer_norm<E>(x, gain, shift)))); }
};
struct rms_norm_silu {
    parameter<E> gain{};
    affine<E, H> up{};
    affine<H, E> down{};
    constexpr auto operator()(auto x) const { return x + down(silu(up(rms_norm<E>(x, gain)))); }
};
// One norm is read by three products, and one of them by way of other names.
struct shared_norm {
    parameter<E> gain{}, shift{};
    affine<E, H> a{}, b{};
    affine<F, H> c{};
    affine<H, E> down{};
    constexpr auto operator()(auto x) const {
        const auto y = layer_norm<E>(x, gain, shift);
        return x + down(gelu(a(y)) * b(y) + relu(c(rename<E, F>(y)) + 20.0));
    }
};

template <class Blocks>
struct tower {
    Blocks h{};
    affine<E, Classes> head{};
    constexpr auto operator()(auto x) const { return head(h(x)); }
};
struct plain_loss {
    constexpr auto operator()(auto const& m, auto x) const { return mean(sin(m(x))); }
};
struct penalised {
    constexpr auto operator()(auto const& m, auto x) const {
        const auto y = mean(sin(m(x)));
        const auto [dx, dhead] = grad(y, x, m.head.weight);
        return y + 1e3 * sum(dx * dx) + sum(dhead * dhead * dhead);
    }
};
template <class Blocks, class Loss>
using program_of_tower = basic_program<double, program_mode::gradients, tower<Blocks>, Loss, variable<N, E>>;

template <class Blocks, class Loss = plain_loss>
void expect_right_gradients() {
    auto theta = random_parameters<tower<Blocks>>(1);
    const auto x = random_tensor<tensor<double, N, E>>(2);
    program_of_tower<Blocks, Loss> p;
    expect_parameter_gradients(p, {{theta.data(), theta.size()}}, [&] { return p(theta, x); });
}

/// How often a norm or an activation is computed, and how many of the results have a slot for each layer.
struct counts {
    int computed = 0, kept = 0;
};
template <class P>
constexpr counts count_norms() {
    counts c;
    for (std::size_t i = 0; i < P::image.nodes.size(); ++i) {
        const graph::kind op = P::image.nodes[i].op;
        if (op != graph::kind::layer_norm && op != graph::kind::rms_norm) continue;
        ++c.computed;
        c.kept += P::image.locations[i].level_count > 0;
    }
    return c;
}
template <class P>
constexpr counts count_activations() {
    constexpr auto& whole = tenet::detail::whole_image<typename P::spec>;
    counts c;
    for (std::size_t i = 0; i < whole.nodes.size(); ++i) {
        auto const* const f = whole.nodes[i].function;
        if (f == nullptr || !f->recomputed) continue;
        ++c.computed;
        c.kept += whole.locations[i].level_count > 0;
    }
    return c;
}

}  // namespace recompute_test
using namespace recompute_test;

BOOST_AUTO_TEST_CASE(in_a_row) {
    expect_right_gradients<layer_norm_gelu>();
    expect_right_gradients<rms_norm_silu>();
}
BOOST_AUTO_TEST_CASE(in_a_stack) {
    expect_right_gradients<stack<layer_norm_gelu, 3>>();
    expect_right_gradients<stack<rms_norm_silu, 2>>();
}
BOOST_AUTO_TEST_CASE(in_a_stack_of_checkpoints) {
    expect_right_gradients<stack<checkpoint<layer_norm_gelu>, 2>>();
}
BOOST_AUTO_TEST_CASE(read_by_several_products) {
    expect_right_gradients<shared_norm>();
    expect_right_gradients<stack<shared_norm, 2>>();
}
BOOST_AUTO_TEST_CASE(of_second_order) {
    expect_right_gradients<layer_norm_gelu, penalised>();
    expect_right_gradients<stack<rms_norm_silu, 2>, penalised>();
}

BOOST_AUTO_TEST_CASE(one_copy_for_all_that_read_it_and_none_is_kept) {
    using plain = program_of_tower<stack<layer_norm_gelu, 3>, plain_loss>;
    static_assert(count_norms<plain>().computed == 2 && count_norms<plain>().kept == 0);
    static_assert(count_activations<plain>().computed == 2 && count_activations<plain>().kept == 0);
    using shared = program_of_tower<stack<shared_norm, 3>, plain_loss>;
    static_assert(count_norms<shared>().computed == 2 && count_norms<shared>().kept == 0);
    // What a checkpoint computes again is not computed a third time.
    using checkpoints = program_of_tower<stack<checkpoint<layer_norm_gelu>, 3>, plain_loss>;
    static_assert(count_norms<checkpoints>().computed == 2 && count_activations<checkpoints>().computed == 2);
    BOOST_TEST(expect_no_overlap<plain>() > 20u);
}

namespace recompute_test {

struct small_loss {
    constexpr auto operator()(auto const& m, auto x) const { return mean(sin(m(x))); }
};
using small_rows = basic_program<double, program_mode::gradients, tower<layer_norm_gelu>, small_loss, variable<Few, E>>;

struct classifier {
    affine<E, Classes> head{};
    constexpr auto operator()(auto x) const { return head(x); }
};
struct classifier_loss {
    constexpr auto operator()(auto const& m, auto x, auto y) const { return cross_entropy<Classes>(m(x), y); }
};
using classify = basic_program<double, program_mode::gradients, classifier, classifier_loss, variable<N, E>, tokens<N>>;
struct with_logits {
    constexpr auto operator()(auto const& m, auto x, auto y) const {
        const auto z = m(x);
        return std::tuple{cross_entropy<Classes>(z, y), z};
    }
};
using classify_and_tell =
    basic_program<double, program_mode::gradients, classifier, with_logits, variable<N, E>, tokens<N>>;

/// Whether the gradient by the logits lies where the logits lay.
template <class P>
constexpr bool gradient_in_place() {
    for (std::size_t i = 0; i < P::image.nodes.size(); ++i)
        if (P::image.nodes[i].op == graph::kind::cross_entropy_backward)
            return P::image.locations[i].offset ==
                   P::image.locations[static_cast<std::size_t>(P::image.nodes[i].input[0])].offset;
    return false;
}

}  // namespace recompute_test

BOOST_AUTO_TEST_CASE(what_is_small_is_kept) {
    static_assert(count_norms<small_rows>().computed == 1);
    static_assert(count_activations<small_rows>().computed == 1);
}

BOOST_AUTO_TEST_CASE(a_gradient_takes_the_place_of_logits_that_nobody_reads) {
    static_assert(gradient_in_place<classify>());
    static_assert(!gradient_in_place<classify_and_tell>());
    static_assert(classify::activation_bytes + N::capacity * Classes::capacity * sizeof(double) <=
                  classify_and_tell::activation_bytes);
    auto theta = random_parameters<classifier>(1);
    const auto x = random_tensor<tensor<double, N, E>>(2);
    const auto y = random_tokens<tensor<std::int32_t, N>>(3, Classes::capacity);
    classify p;
    expect_parameter_gradients(p, {{theta.data(), theta.size()}}, [&] { return p(theta, x, y); });
    classify_and_tell q;
    p(theta, x, y);
    q(theta, x, y);
    BOOST_TEST(greatest_difference(p.gradients(), q.gradients()) == 0);
}
