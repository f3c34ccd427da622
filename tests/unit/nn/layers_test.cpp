// SPDX-License-Identifier: MIT
// Layers against plain loops in double, and their parameters' names.
#define BOOST_TEST_MODULE nn_layers
#include <boost/test/unit_test.hpp>

#include <cmath>

#include <tenet/op.hpp>

#include <tenet/nn.hpp>
#include <tenet/program/program.hpp>

using namespace tenet;

namespace {

struct Batch : at_most<4> {};
struct Row : axis<6> {};
struct In : axis<5> {};
struct Side : axis<2> {};
struct Out : axis<3> {};
struct Wide : axis<4000> {};

struct model {
    nn::linear<axes<In>, axes<Side, Out>> split;
    nn::linear<axes<Side, Out>, axes<In>, nn::no_bias> join;
    nn::embedding<Row, In> table;
    nn::layer_norm<In> norm{.weight = {}, .bias = {}, .eps = 0.5};
    nn::layer_norm<axes<Side, Out>, nn::no_bias> norm_pair;
    nn::rms_norm<In> rms;
    nn::feed_forward<In, Out, nn::relu> mlp;
};

struct all_layers {
    constexpr auto operator()(auto const& m, auto x, auto index) const {
        const auto wide = m.split(x);
        return std::tuple{wide, m.join(wide), m.table(index), m.norm(x), m.norm_pair(wide), m.rms(x), m.mlp(x)};
    }
};

double value(std::string_view name, std::size_t k) {
    return std::sin(static_cast<double>(k) * 1.3 + static_cast<double>(name.size()) * 0.7 +
                    static_cast<double>(name[0]));
}

using matrix = std::vector<std::vector<double>>;

matrix rows_of(auto const& t, std::size_t columns) {
    matrix m(t.size() / columns, std::vector<double>(columns));
    for (std::size_t i = 0; i < t.size(); ++i) m[i / columns][i % columns] = t.data()[i];
    return m;
}

struct weights {
    parameters<model, double>& theta;
    std::span<double> operator()(char const* name) const { return theta.span(name); }
};

std::vector<double> affine(std::vector<double> const& x, std::span<double const> w, std::span<double const> b,
                           std::size_t out) {
    std::vector<double> y(out, 0.0);
    for (std::size_t o = 0; o < out; ++o) {
        for (std::size_t i = 0; i < x.size(); ++i) y[o] += x[i] * w[i * out + o];
        if (!b.empty()) y[o] += b[o];
    }
    return y;
}

std::vector<double> normalised(std::vector<double> const& x, std::span<double const> w, std::span<double const> b,
                               double eps, bool centre) {
    double mean = 0, square = 0;
    for (double v : x) mean += v / static_cast<double>(x.size());
    if (!centre) mean = 0;
    for (double v : x) square += (v - mean) * (v - mean) / static_cast<double>(x.size());
    std::vector<double> y;
    for (std::size_t i = 0; i < x.size(); ++i)
        y.push_back((x[i] - mean) / std::sqrt(square + eps) * w[i] + (b.empty() ? 0.0 : b[i]));
    return y;
}

void check_rows(char const* what, auto const& found, matrix const& expected) {
    const matrix rows = rows_of(found, expected[0].size());
    BOOST_REQUIRE_EQUAL(rows.size(), expected.size());
    for (std::size_t r = 0; r < rows.size(); ++r)
        for (std::size_t i = 0; i < rows[r].size(); ++i) BOOST_TEST_CONTEXT(what << " " << r << " " << i) {
                BOOST_TEST(std::fabs(rows[r][i] - expected[r][i]) < 1e-12);
            }
}

}  // namespace

BOOST_AUTO_TEST_CASE(layers_compute_their_formulas) {
    parameters<model, double> theta;
    for (named_array const& a : theta.arrays())
        for (std::size_t k = 0; k < a.size(); ++k) static_cast<double*>(a.data)[k] = value(a.name, k);
    const weights w{theta};
    tensor<double, Batch, In> x(extent<Batch>(3));
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = std::cos(2.1 * static_cast<double>(i));
    tensor<std::int32_t, Batch> index(extent<Batch>(3));
    index.data()[0] = 5, index.data()[1] = 0, index.data()[2] = 5;

    evaluation_of<double, model, all_layers, values<Batch, In>, tokens<Batch>> run;
    run(theta, x, index);

    matrix wide, back, looked, normed, pair, rms, mlp;
    for (auto const& row : rows_of(x, 5)) {
        wide.push_back(affine(row, w("split.weight"), w("split.bias"), 6));
        back.push_back(affine(wide.back(), w("join.weight"), {}, 5));
        const auto from = w("table.weight").subspan(static_cast<std::size_t>(index.data()[looked.size()]) * 5, 5);
        looked.emplace_back(from.begin(), from.end());
        normed.push_back(normalised(row, w("norm.weight"), w("norm.bias"), 0.5, true));
        pair.push_back(normalised(wide.back(), w("norm_pair.weight"), {}, 1e-5, true));
        rms.push_back(normalised(row, w("rms.weight"), {}, 1e-5, false));
        std::vector<double> hidden = affine(row, w("mlp.c_fc.weight"), w("mlp.c_fc.bias"), 3);
        for (double& v : hidden) v = v > 0 ? v : 0;
        mlp.push_back(affine(hidden, w("mlp.c_proj.weight"), w("mlp.c_proj.bias"), 5));
    }
    check_rows("split", run.result<0>(), wide);
    check_rows("join", run.result<1>(), back);
    check_rows("table", run.result<2>(), looked);
    check_rows("norm", run.result<3>(), normed);
    check_rows("norm_pair", run.result<4>(), pair);
    check_rows("rms", run.result<5>(), rms);
    check_rows("mlp", run.result<6>(), mlp);
}

namespace {

struct with_dropout {
    nn::dropout drop{.rate = 0.25};
    constexpr auto operator()(auto x) const { return drop(x); }
};
struct without_dropout {
    nn::dropout drop{.rate = 0};
    constexpr auto operator()(auto x) const { return drop(x); }
};
struct sum_of_products {
    constexpr auto operator()(auto const& m, auto x) const { return sum(m(x) * x); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(dropout_drops_in_training_only) {
    tensor<float, Wide> x;
    x.fill(1);
    evaluation<with_dropout, sum_of_products, values<Wide>> look;
    BOOST_TEST(look(parameters<with_dropout>{}, x) == 4000.0f);
    program<with_dropout, sum_of_products, variable<Wide>> train;
    train.set_random_state(1, 0);
    const float sum = train.value_and_grad(parameters<with_dropout>{}, x);
    // 4000 draws, each 4/3 with probability 3/4: the standard deviation of the sum is 36.5.
    BOOST_TEST(std::fabs(sum - 4000.0f) < 200.0f);
    BOOST_TEST(sum != 4000.0f);
    train.set_random_state(1, 1);
    BOOST_TEST(train.value_and_grad(parameters<with_dropout>{}, x) != sum);
    train.set_random_state(1, 0);
    BOOST_TEST(train.value_and_grad(parameters<with_dropout>{}, x) == sum);
    using untouched = program<without_dropout, sum_of_products, variable<Wide>>;
    using dropping = program<with_dropout, sum_of_products, variable<Wide>>;
    static_assert(untouched::image.nodes.size() < dropping::image.nodes.size());
}
