// SPDX-License-Identifier: MIT
// Models with stored weights: the layout as constants, what a program computes against the same numbers unstored,
// gradients through a stored base, uses that need numbers, merging.
#define BOOST_TEST_MODULE adapt_quantized
#include "small_gpt.hpp"

#include <tenet/adapt.hpp>
#include <tenet/parallel/threads.hpp>

using namespace small_gpt;
using namespace program_check;

namespace {

using four_bit = quantized<gpt, storage::nf4>;
using all_kinds = quantized<quantized<quantized<gpt, storage::int8, targets<"c_proj">>, storage::fp4, targets<"c_fc">>,
                            storage::bfloat16, targets<"wte", "attn">>;
using tables = quantized<four_bit, storage::int8, targets<"wte">>;
using linear_layers = lora<gpt, 2, targets<"attn.c_attn", "mlp">, lora_options{.alpha = 4}>;
using everywhere = lora<gpt, 2, any_of<all_linear, targets<"wte">>, lora_options{.magnitude = true}>;

constexpr parameter_leaf const& leaf(auto const& leaves, std::string_view path) {
    for (parameter_leaf const& l : leaves)
        if (l.path.view() == path) return l;
    throw "no such leaf";
}
constexpr auto format_in(auto const& leaves, std::string_view path) {
    return leaf(leaves, path).format;
}

// Linear layers by default; an inner choice stays.
static_assert(format_in(parameter_leaves<four_bit>, "h.*.attn.c_attn.weight") == storage::nf4);
static_assert(format_in(parameter_leaves<four_bit>, "h.*.attn.c_attn.bias") == storage::plain);
static_assert(format_in(parameter_leaves<four_bit>, "wte.weight") == storage::plain);
static_assert(format_in(parameter_leaves<all_kinds>, "h.*.attn.c_proj.weight") == storage::int8);
static_assert(format_in(parameter_leaves<all_kinds>, "h.*.mlp.c_fc.weight") == storage::fp4);
static_assert(format_in(parameter_leaves<all_kinds>, "h.*.attn.c_attn.weight") == storage::bfloat16);
static_assert(format_in(parameter_leaves<all_kinds>, "h.*.mlp.c_proj.weight") == storage::int8);
// Rows: of the file's matrix, [8, 24], [8 out, 8 in], and of a table [11, 8].
static_assert(leaf(parameter_leaves<four_bit>, "h.*.attn.c_attn.weight").columns == 24);
static_assert(leaf(parameter_leaves<four_bit>, "h.*.attn.c_proj.weight").columns == 8);
static_assert(leaf(parameter_leaves<tables>, "wte.weight").columns == 8);
// 192 weights: 96 bytes of codes, 3 of scales, two floats; in units of 16 floats.
static_assert(leaf(parameter_leaves<four_bit>, "h.*.attn.c_attn.weight").padded == 32);
static_assert(parameter_count<four_bit> == parameter_count<gpt>);
static_assert(parameter_elements<four_bit> < parameter_elements<gpt>);
static_assert(std::is_same_v<plain_model<all_kinds>, gpt>);
static_assert(QuantizedModel<tables> && !QuantizedModel<gpt>);

// GPT-2's sizes: 4.127 bits a weight.
struct wide_in : axis<768> {};
struct wide_out : axis<3072> {};
struct wide {
    stack<nn::linear<axes<wide_in>, axes<wide_out>>, 12> h;
};
static_assert(bits_per_quantized_parameter<quantized<wide, storage::nf4>> < 4.127 + 5e-4);
static_assert(bits_per_quantized_parameter<quantized<wide, storage::nf4>> > 4.1265);
static_assert(bits_per_quantized_parameter<quantized<wide, storage::int8>> == 8 + 32.0 / 3072);
static_assert(bits_per_quantized_parameter<quantized<wide, storage::bfloat16>> == 16);

template <class Model, class Adapter>
using adapted = basic_program<double, program_mode::gradients, models<Model, Adapter>, adapted_loss,
                              tokens<Batch, Time>, tokens<Batch, Time>>;

// Nothing of a stored weight is trained, even where the function freezes nothing.
using unfrozen =
    basic_program<double, program_mode::gradients, four_bit, plain_loss, tokens<Batch, Time>, tokens<Batch, Time>>;
static_assert([] {
    for (graph::trainable_slot const& t : unfrozen::image.trainable)
        if (unfrozen::image.parameters[static_cast<std::size_t>(t.parameter)].format != storage::plain) return false;
    return unfrozen::image.trainable.size() > 0;
}());

// No weight ever exists as numbers: not in the forward, not in the backward, not in the look-up, not in the tied head.
static_assert(count_of<adapted<all_kinds, linear_layers>>(graph::kind::dequantize) == 0);

const auto x = random_tokens<ids>(1, 11, extent<Batch>(3));
const auto y = random_tokens<ids>(2, 11, extent<Batch>(3));

template <class Model>
void expect_the_same_as_numbers() {
    const auto theta = random_parameters<gpt>(1);
    parameters<Model, double> base;
    quantize(theta, base);
    const auto numbers = dequantize(base);
    BOOST_TEST(greatest_difference(std::span(numbers.data(), numbers.size()), std::span(theta.data(), theta.size())) >
               1e-4);
    const auto delta = random_parameters<linear_layers>(2);
    adapted<Model, linear_layers> stored;
    adapted<gpt, linear_layers> plain;
    expect_no_overlap<adapted<Model, linear_layers>>();
    BOOST_TEST(std::fabs(stored(base, delta, x, y) - plain(numbers, delta, x, y)) < 1e-12);
    BOOST_TEST(greatest_difference(stored.gradients(), plain.gradients()) < 1e-12);
    // What is in the arena before a step does not matter.
    for (std::byte& b : stored.arena()) b = std::byte{0xff};
    BOOST_TEST(std::fabs(stored(base, delta, x, y) - plain(numbers, delta, x, y)) < 1e-12);
}

}  // namespace

BOOST_AUTO_TEST_CASE(programs_compute_what_the_numbers_give) {
    expect_the_same_as_numbers<four_bit>();
    expect_the_same_as_numbers<all_kinds>();
}

BOOST_AUTO_TEST_CASE(gradients_through_a_stored_base) {
    parameters<all_kinds, double> base;
    quantize(random_parameters<gpt>(1), base);
    auto delta = random_parameters<linear_layers>(2);
    adapted<all_kinds, linear_layers> step;
    expect_parameter_gradients(step, {{base.data(), base.size()}, {delta.data(), delta.size()}},
                               [&] { return step(base, delta, x, y); });
}

BOOST_AUTO_TEST_CASE(what_is_not_stored_is_trained) {
    parameters<four_bit, double> base;
    quantize(random_parameters<gpt>(1), base);
    unfrozen step;
    expect_parameter_gradients(step, {{base.data(), base.size()}}, [&] { return step(base, x, y); });
}

BOOST_AUTO_TEST_CASE(uses_that_need_the_numbers) {
    // DoRA divides by lengths of columns of the base.
    parameters<tables, double> base;
    quantize(random_parameters<gpt>(1), base);
    const auto numbers = dequantize(base);
    const auto delta = random_parameters<everywhere>(2);
    adapted<tables, everywhere> stored;
    adapted<gpt, everywhere> plain;
    static_assert(count_of<adapted<tables, everywhere>>(graph::kind::dequantize) > 0);
    expect_no_overlap<adapted<tables, everywhere>>();
    BOOST_TEST(std::fabs(stored(base, delta, x, y) - plain(numbers, delta, x, y)) < 1e-12);
    BOOST_TEST(greatest_difference(stored.gradients(), plain.gradients()) < 1e-11);
}

BOOST_AUTO_TEST_CASE(in_single_precision) {
    using program_type =
        program<models<all_kinds, linear_layers>, adapted_loss, tokens<Batch, Time>, tokens<Batch, Time>>;
    parameters<all_kinds> base;
    quantize(random_parameters<gpt, float>(1), base);
    parameters<all_kinds, double> wide_base;
    quantize(random_parameters<gpt>(1), wide_base);
    program_type step;
    adapted<all_kinds, linear_layers> exact;
    const float found = step(base, random_parameters<linear_layers, float>(2), x, y);
    BOOST_TEST(std::fabs(double{found} - exact(wide_base, random_parameters<linear_layers>(2), x, y)) < 1e-5);
}

// The left operand of a product, an element-wise use, a gather along another axis.
namespace uses {
struct Row : axis<6> {};
struct Column : axis<20> {};
struct Many : at_most<4> {};
struct model {
    parameter<Row, Column> w;
    parameter<Row> bias;
};
struct loss {
    constexpr auto operator()(auto const& m, auto x, auto index) const {
        auto left = dot<Column>(m.w, x);
        auto scaled = sum<Column>(m.w * m.w) + m.bias;
        auto picked = gather<Column>(m.w, index);
        return sum(tanh(left + scaled)) + sum(picked * picked);
    }
};
using stored = quantized<model, storage::int8, targets<"w">>;
template <class M>
using step = basic_program<double, program_mode::gradients, M, loss, variable<Many, Column>, tokens<Many>>;
}  // namespace uses

BOOST_AUTO_TEST_CASE(other_uses) {
    parameters<uses::stored, double> base;
    quantize(random_parameters<uses::model>(1), base);
    const auto numbers = dequantize(base);
    using input = tensor<double, uses::Many, uses::Column>;
    const auto in = random_tensor<input>(3, extent<uses::Many>(3));
    const auto index = random_tokens<tensor<std::int32_t, uses::Many>>(4, 20, extent<uses::Many>(3));
    uses::step<uses::stored> a;
    uses::step<uses::model> b;
    BOOST_TEST(std::fabs(a(base, in, index) - b(numbers, in, index)) < 1e-12);
    BOOST_TEST(greatest_difference(a.input_gradient<0>(), b.input_gradient<0>()) < 1e-12);
}

// Products so large that bias, activation and residual are done while their results are in registers.
namespace large {
struct Row : at_most<40> {};
struct In : axis<64> {};
struct Out : axis<96> {};
struct model {
    nn::linear<axes<In>, axes<Out>> up;
    nn::linear<axes<Out>, axes<In>, nn::with_bias, nn::weight_layout::out_in> down;
    constexpr auto operator()(auto x) const { return x + down(gelu(up(x))); }
};
struct loss {
    constexpr auto operator()(auto const& m, auto x) const {
        auto y = m(x);
        return mean(y * y);
    }
};
template <class M>
using step = basic_program<double, program_mode::gradients, M, loss, variable<Row, In>>;
using stored = quantized<model, storage::nf4>;
// One of them is a group with its epilogue.
static_assert([] {
    for (std::size_t i = 0; i < step<stored>::image.nodes.size(); ++i)
        if (step<stored>::image.nodes[i].op == graph::kind::dot && step<stored>::image.group[i] >= 0) return true;
    return false;
}());
}  // namespace large

BOOST_AUTO_TEST_CASE(epilogues_of_products) {
    parameters<large::stored, double> base;
    quantize(random_parameters<large::model>(1), base);
    const auto numbers = dequantize(base);
    const auto in = random_tensor<tensor<double, large::Row, large::In>>(3, extent<large::Row>(37));
    large::step<large::stored> a;
    large::step<large::model> b;
    BOOST_TEST(std::fabs(a(base, in) - b(numbers, in)) < 1e-12);
    BOOST_TEST(greatest_difference(a.input_gradient<0>(), b.input_gradient<0>()) < 1e-12);
}

BOOST_AUTO_TEST_CASE(merging_says_what_it_costs) {
    parameters<four_bit, double> base;
    quantize(random_parameters<gpt>(1), base);
    const auto delta = random_parameters<linear_layers>(2);
    adapted<gpt, linear_layers> exact;
    const double loss = exact(dequantize(base), delta, x, y);

    auto merged = merge(dequantize(base), delta);
    const quantization_error added = requantize(merged.weights(), base);
    BOOST_TEST(added.weights == 2 * (8 * 24 + 8 * 8 + 8 * 16 + 16 * 8));
    BOOST_TEST(added.root_mean_square > 0);
    BOOST_TEST(added.largest >= added.root_mean_square);
    const auto read = dequantize(base);
    double squares = 0, all = 0;
    for (std::size_t i = 0; i < read.size(); ++i) {
        const double w = merged.weights().data()[i], d = read.data()[i] - w;
        squares += d * d;
        if (d != 0) BOOST_TEST(std::fabs(d) <= added.largest);
    }
    for (parameter_leaf const& l : parameter_leaves<gpt>)
        if (all_linear::matches<gpt>(l))
            for (std::size_t i = 0; i < l.padded * l.layers(); ++i)
                all += std::pow(merged.weights().data()[l.offset + i], 2);
    BOOST_TEST(added.root_mean_square == std::sqrt(squares / static_cast<double>(added.weights)),
               boost::test_tools::tolerance(1e-9));
    BOOST_TEST(added.relative == std::sqrt(squares / all), boost::test_tools::tolerance(1e-9));
    // NF4 with a few elements in the scales' statistics: some per cent.
    BOOST_TEST(added.relative < 0.15);
    basic_program<double, program_mode::forward, four_bit, plain_loss, tokens<Batch, Time>, tokens<Batch, Time>> run;
    BOOST_TEST(std::fabs(run(base, x, y) - loss) < 0.3);
    BOOST_TEST(std::fabs(run(base, x, y) - loss) > 1e-6);
}

BOOST_AUTO_TEST_CASE(the_same_bits_on_any_number_of_threads) {
    parameters<all_kinds, double> base;
    quantize(random_parameters<gpt>(1), base);
    const auto delta = random_parameters<linear_layers>(2);
    adapted<all_kinds, linear_layers> step;
    const auto run = [&] {
        step(base, delta, x, y);
        return std::vector<double>(step.gradients().begin(), step.gradients().end());
    };
    BOOST_TEST((with_threads(1, run) == with_threads(4, run)));
}
