// SPDX-License-Identifier: MIT
// Mixed precision: which products round their operands, that they compute with the rounded ones, which values are
// stored rounded, and that a small GPT has float's loss and gradients within the rounding, trains as float does, and
// has the same bits for any number of threads and with all values stored in float.
#define BOOST_TEST_MODULE program_mixed_precision
#include <numeric>

#include <tenet/nn.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/optim.hpp>
#include <tenet/parallel/threads.hpp>

#include "../../support/program_check.hpp"

using namespace program_check;

/// Products that round, and no value that is stored rounded.
struct stored_in_float {};
template <>
struct tenet::detail::precision_of<stored_in_float> : tenet::detail::precision_of<mixed_precision<float, bfloat16>> {
    using storage_type = float;
};

namespace {

using mixed_float = mixed_precision<float, bfloat16>;

struct Batch : at_most<4> {};
struct Time : axis<80>, sequence {};
struct Vocab : axis<80> {};
struct Embed : axis<64> {};
struct Hidden : axis<256> {};
struct Heads : axis<4> {};
struct HeadDim : axis<16> {};
struct ShortTime : axis<48>, sequence {};
struct OddHead : axis<32> {};
struct WideHead : axis<64> {};

template <class T, class Head>
struct gpt_of {
    parameter<Vocab, Embed> wte{"wte.weight"};
    parameter<T, Embed> wpe{"wpe.weight"};
    stack<nn::transformer_block<T, Embed, Heads, Head, Hidden>, 2> h;
    nn::layer_norm<Embed> ln_f;
    constexpr auto operator()(auto tokens) const { return dot<Embed>(ln_f(h(lookup(wte, tokens) + wpe)), wte); }
};
using gpt = gpt_of<Time, HeadDim>;
struct next_token_loss {
    constexpr auto operator()(auto const& m, auto x, auto y) const { return cross_entropy<Vocab>(m(x), y); }
};
template <class Precision>
using step_in = program_of<Precision, gpt, next_token_loss, tokens<Batch, Time>, tokens<Batch, Time>>;
using float_step = step_in<float>;
using mixed_step = step_in<mixed_float>;

template <class P>
constexpr int rounded_products() {
    int n = 0;
    for (std::size_t i = 0; i < P::image.nodes.size(); ++i)
        if (P::image.nodes[i].op == graph::kind::dot)
            n += detail::rounds_operands<typename P::code>(static_cast<int>(i));
    return n;
}

// Parameters, gradients and activations are float's.
static_assert(std::is_same_v<mixed_step::real_type, float>);
static_assert(std::is_same_v<mixed_step::product_type, bfloat16>);
static_assert(std::is_same_v<float_step::product_type, float>);
static_assert(std::is_same_v<decltype(std::declval<mixed_step&>().gradients()), std::span<float>>);
static_assert(mixed_step::gradient_elements == float_step::gradient_elements);
static_assert(mixed_step::flops == float_step::flops);
// Four products a layer and the head, each with the gradients of its operands: the layers are traced once.
static_assert(rounded_products<mixed_step>() == 15);
static_assert(rounded_products<float_step>() == 0);

/// The nodes of a kind whose results are stored rounded; of element-wise ones those with memory.
template <class P>
constexpr int stored_rounded(graph::kind op) {
    int n = 0;
    for (std::size_t i = 0; i < P::image.nodes.size(); ++i)
        n += P::image.nodes[i].op == op && P::image.rounded[i] != 0 && P::image.locations[i].in == graph::space::arena;
    return n;
}
template <class P>
constexpr int stored_rounded() {
    int n = 0;
    for (std::size_t i = 0; i < P::image.nodes.size(); ++i) n += P::image.rounded[i] != 0 && P::image.buffer_of[i] >= 0;
    return n;
}
// What products alone read: two normalisations a layer and the last one and GELU's results, all of them computed twice,
// queries with keys and values. Not: what is added to, what is summed for the gradient of a bias, what attention
// multiplies in float; and the gradient by the logits, which takes their place.
static_assert(stored_rounded<mixed_step>(graph::kind::layer_norm) == 6);
static_assert(stored_rounded<mixed_step>(graph::kind::elementwise) == 3);
static_assert(stored_rounded<mixed_step>(graph::kind::cross_entropy_backward) == 0);
static_assert(stored_rounded<mixed_step>() == 9);
static_assert(stored_rounded<float_step>() == 0);
static_assert(stored_rounded<step_in<stored_in_float>>() == 0);
static_assert(rounded_products<step_in<stored_in_float>>() == 15);
static_assert(step_in<stored_in_float>::activation_bytes == float_step::activation_bytes);
static_assert(mixed_step::activation_bytes < float_step::activation_bytes * 9 / 10);

// Queries times a scale that is no power of two are rounded after it, so that they and what lies with them stay float.
template <class Precision, class T, class Head>
using other_step = program_of<Precision, gpt_of<T, Head>, next_token_loss, tokens<Batch, T>, tokens<Batch, T>>;
static_assert(stored_rounded<other_step<mixed_float, ShortTime, WideHead>>() == 6);
static_assert(stored_rounded<other_step<mixed_float, Time, OddHead>>() == 8);
// Logits that are a result do not end with their gradient, which then has memory of its own.
struct loss_and_logits {
    constexpr auto operator()(auto const& m, auto x, auto y) const {
        const auto logits = m(x);
        return std::tuple(cross_entropy<Vocab>(logits, y), logits);
    }
};
template <class Precision>
using logits_step = program_of<Precision, gpt, loss_and_logits, tokens<Batch, Time>, tokens<Batch, Time>>;
static_assert(stored_rounded<logits_step<mixed_float>>(graph::kind::cross_entropy_backward) == 1);

struct Rows : axis<96> {};
struct Few : axis<15> {};
struct Inner : axis<128> {};
struct Columns : axis<48> {};
struct Group : axis<3> {};

struct product_of {
    constexpr auto operator()(auto a, auto b) const { return dot<Inner>(a, b); }
};
template <class Precision, class A, class B>
using product = evaluation_of<Precision, models<>, product_of, A, B>;

static_assert(rounded_products<product<mixed_float, values<Rows, Inner>, values<Inner, Columns>>>() == 1);
static_assert(rounded_products<product<mixed_float, values<Few, Inner>, values<Inner, Columns>>>() == 0);
static_assert(rounded_products<product<mixed_float, values<Inner>, values<Inner, Columns>>>() == 0);

template <class T>
T random_values(unsigned seed) {
    T t;
    std::mt19937 engine(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (float& x : t) x = uniform(engine);
    return t;
}

/// The largest difference between result and reference(index), which adds up products of rounded numbers.
template <class Result, class Reference>
double worst_error(Result const& result, Reference const& reference) {
    double worst = 0;
    for (std::size_t i = 0; i < result.size(); ++i)
        worst = std::max(worst, std::fabs(static_cast<double>(result.data()[i]) - reference(i)));
    return worst;
}
double rounded(float x) {
    return static_cast<double>(static_cast<float>(bfloat16(x)));
}
constexpr std::size_t rows = Rows::capacity, inner = Inner::capacity, columns = Columns::capacity;
constexpr double tolerance = 1.2e-7 * (8 + inner);

struct batch_of_text {
    tensor<std::int32_t, Batch, Time> x, y;
};
batch_of_text text(std::uint32_t seed) {
    // Each character follows from the one before, but for some noise: there is something to learn.
    batch_of_text b;
    std::mt19937 engine(seed);
    for (std::size_t i = 0; i < Batch::capacity; ++i) {
        std::int32_t c = static_cast<std::int32_t>(engine() % Vocab::capacity);
        for (std::size_t t = 0; t < Time::capacity; ++t) {
            b.x.data()[i * Time::capacity + t] = c;
            c = engine() % 8 == 0 ? static_cast<std::int32_t>(engine() % Vocab::capacity) : (c * 7 + 11) % 80;
            b.y.data()[i * Time::capacity + t] = c;
        }
    }
    return b;
}
parameters<gpt> first_weights() {
    parameters<gpt> theta;
    initialize(theta, init::gpt2{}, 7);
    return theta;
}

/// The losses, and at the end the weights.
template <class Step>
std::vector<float> train(int steps, parameters<gpt>* trained = nullptr) {
    parameters<gpt> theta = first_weights();
    Step run;
    adamw<Step> optimise({.beta1 = 0.9, .beta2 = 0.99, .weight_decay = 0.1});
    std::vector<float> losses;
    for (int s = 0; s < steps; ++s) {
        const batch_of_text b = text(static_cast<std::uint32_t>(s + 1));
        losses.push_back(run.value_and_grad(theta, b.x, b.y));
        optimise.step(theta, run, 3e-3);
    }
    if (trained != nullptr) *trained = theta;
    return losses;
}

}  // namespace

BOOST_AUTO_TEST_CASE(rows_times_columns_in_three_layouts) {
    const auto at = [](auto const& t, std::size_t i, std::size_t j, std::size_t width) {
        return rounded(t.data()[i * width + j]);
    };
    const auto nn_a = random_values<tensor<float, Rows, Inner>>(1);
    const auto nn_b = random_values<tensor<float, Inner, Columns>>(2);
    const auto nt_b = random_values<tensor<float, Columns, Inner>>(3);
    const auto tn_a = random_values<tensor<float, Inner, Rows>>(4);
    const auto sum = [](std::size_t i, auto const& a, auto const& b) {
        double s = 0;
        for (std::size_t k = 0; k < inner; ++k) s += a(i / columns, k) * b(k, i % columns);
        return s;
    };
    const auto a_rows = [&](std::size_t i, std::size_t k) { return at(nn_a, i, k, inner); };
    const auto a_columns = [&](std::size_t i, std::size_t k) { return at(tn_a, k, i, rows); };
    const auto b_rows = [&](std::size_t k, std::size_t j) { return at(nn_b, k, j, columns); };
    const auto b_columns = [&](std::size_t k, std::size_t j) { return at(nt_b, j, k, inner); };

    product<mixed_float, values<Rows, Inner>, values<Inner, Columns>> nn;
    nn(nn_a, nn_b);
    BOOST_TEST(worst_error(nn.result(), [&](std::size_t i) { return sum(i, a_rows, b_rows); }) < tolerance);
    product<mixed_float, values<Rows, Inner>, values<Columns, Inner>> nt;
    nt(nn_a, nt_b);
    BOOST_TEST(worst_error(nt.result(), [&](std::size_t i) { return sum(i, a_rows, b_columns); }) < tolerance);
    product<mixed_float, values<Inner, Rows>, values<Inner, Columns>> tn;
    tn(tn_a, nn_b);
    BOOST_TEST(worst_error(tn.result(), [&](std::size_t i) { return sum(i, a_columns, b_rows); }) < tolerance);
    // The rounding shows: float's product is another one.
    product<float, values<Rows, Inner>, values<Inner, Columns>> exact;
    exact(nn_a, nn_b);
    BOOST_TEST(worst_error(exact.result(), [&](std::size_t i) { return sum(i, a_rows, b_rows); }) > 10 * tolerance);
}

BOOST_AUTO_TEST_CASE(batches_of_products) {
    const auto a = random_values<tensor<float, Group, Rows, Inner>>(1);
    const auto b = random_values<tensor<float, Group, Inner, Columns>>(2);
    product<mixed_float, values<Group, Rows, Inner>, values<Group, Inner, Columns>> run;
    static_assert(rounded_products<decltype(run)>() == 1);
    run(a, b);
    const double worst = worst_error(run.result(), [&](std::size_t i) {
        const std::size_t g = i / (rows * columns), row = i / columns % rows, column = i % columns;
        double s = 0;
        for (std::size_t k = 0; k < inner; ++k)
            s +=
                rounded(a.data()[(g * rows + row) * inner + k]) * rounded(b.data()[(g * inner + k) * columns + column]);
        return s;
    });
    BOOST_TEST(worst < tolerance);
}

BOOST_AUTO_TEST_CASE(the_plan_says_which_products_round) {
    const auto says = [](std::string const& plan, char const* what = "dot in bfloat16") {
        return plan.find(what) != std::string::npos;
    };
    BOOST_TEST(says(describe<mixed_step>()));
    BOOST_TEST(says(describe<mixed_step>(), "attention in bfloat16"));
    BOOST_TEST(says(describe<mixed_step>(), " bfloat16 [Batch <= 4, Time 80, Embed 64]"));
    BOOST_TEST(!says(describe<step_in<stored_in_float>>(), " bfloat16 ["));
    BOOST_TEST(!says(describe<float_step>()));
    BOOST_TEST((!says(describe<product<mixed_float, values<Few, Inner>, values<Inner, Columns>>>())));
}

BOOST_AUTO_TEST_CASE(loss_and_gradients_are_floats_within_the_rounding) {
    const parameters<gpt> theta = first_weights();
    const batch_of_text b = text(3);
    float_step exact;
    mixed_step run;
    const float loss = exact.value_and_grad(theta, b.x, b.y), mixed_loss = run.value_and_grad(theta, b.x, b.y);
    BOOST_TEST(std::fabs(loss - mixed_loss) < 2e-3f);
    BOOST_TEST(loss != mixed_loss);
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < exact.gradients().size(); ++i) {
        const double g = exact.gradients()[i], d = g - run.gradients()[i];
        norm += g * g;
        difference += d * d;
    }
    // bfloat16 has 8 bits: 2^-9 of each operand, a few layers deep.
    BOOST_TEST(std::sqrt(difference / norm) < 0.015);
    BOOST_TEST(std::sqrt(difference / norm) > 1e-4);
}

BOOST_AUTO_TEST_CASE(trains_as_float_does) {
    const std::vector<float> exact = train<float_step>(150), mixed = train<mixed_step>(150);
    const auto last = [](std::vector<float> const& losses) {
        return std::accumulate(losses.end() - 20, losses.end(), 0.0) / 20;
    };
    BOOST_TEST(exact.front() > 4);
    BOOST_TEST(last(exact) < 2);
    BOOST_TEST(std::fabs(last(exact) - last(mixed)) < 0.02);
}

BOOST_AUTO_TEST_CASE(bits_do_not_depend_on_storage) {
    parameters<gpt> rounded_ones, whole;
    BOOST_TEST((train<mixed_step>(20, &rounded_ones) == train<step_in<stored_in_float>>(20, &whole)));
    BOOST_TEST(std::equal(whole.data(), whole.data() + whole.size(), rounded_ones.data()));
}

template <class Run, class Whole, class T, class Head>
void expect_same_bits() {
    parameters<gpt_of<T, Head>> theta;
    initialize(theta, init::gpt2{}, 7);
    tensor<std::int32_t, Batch, T> x, y;
    std::mt19937 engine(3);
    for (auto& token : x) token = static_cast<std::int32_t>(engine() % Vocab::capacity);
    for (auto& token : y) token = static_cast<std::int32_t>(engine() % Vocab::capacity);
    Run run;
    Whole whole;
    BOOST_TEST(run.value_and_grad(theta, x, y) == whole.value_and_grad(theta, x, y));
    BOOST_TEST(std::equal(run.gradients().begin(), run.gradients().end(), whole.gradients().begin()));
}

// With the probabilities kept, with queries that stay float, and with the gradient by the logits.
BOOST_AUTO_TEST_CASE(bits_of_other_programs_do_not_depend_on_storage) {
    expect_same_bits<other_step<mixed_float, ShortTime, WideHead>, other_step<stored_in_float, ShortTime, WideHead>,
                     ShortTime, WideHead>();
    expect_same_bits<other_step<mixed_float, Time, OddHead>, other_step<stored_in_float, Time, OddHead>, Time,
                     OddHead>();
    expect_same_bits<logits_step<mixed_float>, logits_step<stored_in_float>, Time, HeadDim>();
}

BOOST_AUTO_TEST_CASE(bits_do_not_depend_on_threads) {
    const parameters<gpt> theta = first_weights();
    const batch_of_text b = text(5);
    const auto run_with = [&](int count) {
        std::vector<float> out;
        with_threads(count, [&] {
            mixed_step run;
            out.push_back(run.value_and_grad(theta, b.x, b.y));
            out.insert(out.end(), run.gradients().begin(), run.gradients().end());
        });
        return out;
    };
    const std::vector<float> one = run_with(1);
    for (int threads : {2, 4}) BOOST_TEST((run_with(threads) == one));
}
