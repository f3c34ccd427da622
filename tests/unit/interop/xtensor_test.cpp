// SPDX-License-Identifier: MIT
// Views, conversions, printing and comparisons between tensors and xtensor.
#define BOOST_TEST_MODULE interop_xtensor
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <sstream>
#include <string>

#if __has_include(<xtensor/views/xview.hpp>)
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xview.hpp>
#endif

#include <tenet/interop/compare.hpp>
#include <tenet/interop/print.hpp>
#include <tenet/op/dot.hpp>
#include <tenet/op/module.hpp>

using namespace tenet;

// Models have external linkage: their members' names are read off a declared object.
struct Rows : axis<2> {};
struct Cols : axis<3> {};
struct Batch : at_most<4> {};

struct layer {
    parameter<Rows, Cols> weight;
    parameter<Cols> bias;
    constexpr auto operator()(auto x) const { return dot<Rows>(x, weight) + bias; }
};
struct model {
    stack<layer, 2> h;
    parameter<Cols> last;
};

namespace {

auto says(std::string text) {
    return [text](exception const& e) { return text == e.what(); };
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_view_shares_the_elements) {
    tensor<float, Rows, Cols> t{1, 2, 3, 4, 5, 6};
    auto v = view(t);
    BOOST_TEST(v.shape()[0] == 2u);
    BOOST_TEST(v.shape()[1] == 3u);
    BOOST_TEST(v.data() == t.data());
    v(1, 2) = 60;
    xt::view(v, 0, xt::all()) *= 2.0f;
    BOOST_TEST(t(1, 2) == 60);
    BOOST_TEST(t(0, 1) == 4);

    tensor<float, Rows, Cols> const& constant = t;
    const xt::xtensor<float, 2> sum = view(constant) + view(t);
    BOOST_TEST(sum(1, 2) == 120);
    static_assert(std::is_same_v<decltype(*view(constant).data()), float const&>);
}

BOOST_AUTO_TEST_CASE(a_view_outlives_the_call_that_made_it) {
    tensor<double, Rows> first{1, 2}, second{3, 4};
    auto a = view(first), b = view(second);
    BOOST_TEST(a(1) == 2);
    BOOST_TEST(b(1) == 4);
    auto c = std::move(a);
    BOOST_TEST(c.data() == first.data());
}

BOOST_AUTO_TEST_CASE(a_view_has_the_run_time_extents) {
    tensor<float, Batch, Rows> t(extent<Batch>(3));
    t.fill(1);
    BOOST_TEST(view(t).shape()[0] == 3u);
    BOOST_TEST(xt::sum(view(t))() == 6);
    tensor<float> scalar{5};
    BOOST_TEST(view(scalar)() == 5);
}

BOOST_AUTO_TEST_CASE(an_expression_becomes_a_tensor) {
    const xt::xarray<double> a = {{1, 2, 3}, {4, 5, 6}};
    const auto t = from_xtensor<tensor<float, Rows, Cols>>(2 * a + 1);
    BOOST_TEST(t(0, 0) == 3);
    BOOST_TEST(t(1, 2) == 13);
    const xt::xtensor<float, 2, xt::layout_type::column_major> b = {{1, 2, 3}, {4, 5, 6}};
    BOOST_TEST((from_xtensor<ndarray<float, 2, 3>>(b)(0, 1) == 2));
    const auto transposed = from_xtensor<tensor<float, Cols, Rows>>(xt::transpose(a));
    BOOST_TEST(transposed(2, 1) == 6);
    const auto rows = from_xtensor<tensor<float, Batch, Cols>>(xt::view(a, xt::range(0, 1), xt::all()));
    BOOST_TEST(rows.extent<Batch>() == 1u);
    BOOST_TEST(rows(0, 2) == 3);
    const auto tokens = from_xtensor<tensor<std::int32_t, Rows>>(xt::xtensor<std::int64_t, 1>{7, 8});
    BOOST_TEST(tokens(1) == 8);
}

BOOST_AUTO_TEST_CASE(a_shape_that_does_not_fit_names_the_axis) {
    const xt::xarray<float> a = xt::zeros<float>({2, 4}), b = xt::zeros<float>({5, 3}), c = xt::zeros<float>({6});
    BOOST_CHECK_EXCEPTION((from_xtensor<tensor<float, Rows, Cols>>(a)), exception,
                          says("from_xtensor: extent of axis Cols: expected 3, found 4"));
    BOOST_CHECK_EXCEPTION((from_xtensor<tensor<float, Batch, Cols>>(b)), exception,
                          says("from_xtensor: extent of axis Batch: expected 1 to 4, found 5"));
    BOOST_CHECK_EXCEPTION((from_xtensor<tensor<float, Rows, Cols>>(c)), exception,
                          says("from_xtensor: expected 2 axes [Rows, Cols], found 1 axes [6]"));
    tensor<float, Rows, Cols> t{1, 2, 3, 4, 5, 6};
    BOOST_CHECK_EXCEPTION(assign(t, a), exception, says("assign: extent of axis Cols: expected 3, found 4"));
    BOOST_TEST(t(1, 2) == 6);
}

BOOST_AUTO_TEST_CASE(assignment_takes_the_extents) {
    tensor<float, Batch, Cols> t;
    assign(t, xt::ones<float>({2, 3}));
    BOOST_TEST(t.extent<Batch>() == 2u);
    BOOST_TEST(t(1, 2) == 1);
}

BOOST_AUTO_TEST_CASE(parameters_are_seen_and_set_by_name) {
    parameters<model> theta;
    assign(theta, "h.1.weight", xt::xtensor<double, 2>{{1, 2, 3}, {4, 5, 6}});
    BOOST_TEST(view(theta, "h.1.weight")(1, 0) == 4);
    BOOST_TEST(theta.span("h.1.weight")[5] == 6);
    BOOST_TEST(xt::sum(view(theta, "h.0.weight"))() == 0);
    view(theta, "last") += 0.5f;
    parameters<model> const& constant = theta;
    BOOST_TEST(view(constant, "last")(2) == 0.5f);
    BOOST_CHECK_EXCEPTION(assign(theta, "h.0.bias", xt::zeros<float>({2})), exception,
                          says("assign: shape of parameter h.0.bias: expected [3], found [2]"));
    BOOST_CHECK_THROW(view(theta, "h.2.bias"), exception);
}

BOOST_AUTO_TEST_CASE(tensors_print_like_arrays) {
    const tensor<float, Rows, Cols> t{1, 2, 3, 4, 5, 6};
    std::ostringstream ours, theirs;
    ours << t;
    theirs << xt::xtensor<float, 2>{{1, 2, 3}, {4, 5, 6}};
    BOOST_TEST(ours.str() == theirs.str());
    BOOST_TEST(ours.str().find("4.,  5.,  6.") != std::string::npos);
    std::ostringstream number;
    number << tensor<float>{2.5f};
    BOOST_TEST(number.str() == "2.5");
}

BOOST_AUTO_TEST_CASE(closeness_has_numpys_formula_and_does_not_broadcast) {
    const tensor<float, Rows> t{1, 100};
    BOOST_TEST(allclose(t, xt::xtensor<double, 1>{1.00001, 100.0009}));
    BOOST_TEST(!allclose(t, xt::xtensor<double, 1>{1.1, 100}));
    BOOST_TEST(allclose(t, xt::xtensor<double, 1>{1.1, 100}, 0, 0.11));
    BOOST_TEST(!allclose(t, xt::xtensor<float, 2>{{1, 100}}));
    BOOST_TEST((!allclose(tensor<float, Rows>{1, 1}, xt::xtensor<float, 1>{1})));
    const tensor<double, Rows> u{1, 100}, nan{1, std::nan("")};
    BOOST_TEST(allclose(t, u));
    BOOST_TEST(!allclose(nan, nan));
}
