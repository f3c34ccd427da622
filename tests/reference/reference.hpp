// SPDX-License-Identifier: MIT
// Comparison with PyTorch: runs a function in a float and in a double program and compares its results, in order, with
// entries of reference.json ("exp.dx": the gradient by x of operation exp). See make_reference.py.
#pragma once

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <tenet/op.hpp>
#include <tenet/program.hpp>

namespace reference {

using namespace tenet;

inline nlohmann::json const& all() {
    static const nlohmann::json data = [] {
        std::ifstream file(TENET_TEST_REFERENCE);
        if (!file) throw exception("reference data: expected a file at " TENET_TEST_REFERENCE ", found none");
        return nlohmann::json::parse(file);
    }();
    return data;
}

/// y and the gradients of sum(y d) by every one of `x...`.
constexpr auto with_gradients(auto y, auto d, auto... x) {
    const auto loss = sum(y * d);
    if constexpr (sizeof...(x) == 1) return std::make_tuple(y, grad(loss, x...));
    else return std::tuple_cat(std::make_tuple(y), grad(loss, x...));
}

/// The input called `name` as a tensor.
template <class Tensor>
Tensor input(std::string const& group, std::string const& name) {
    auto const& entry = all().at(group).at("in").at(name);
    const auto values = entry.at(1).get<std::vector<double>>();
    Tensor t;
    BOOST_TEST_REQUIRE(values.size() == t.size());
    t.assign(values.begin(), values.end());
    return t;
}

namespace detail {
template <class Tensor>
struct input_for;
template <class T, class... A>
struct input_for<tensor<T, A...>> {
    using type = values<A...>;
};
template <class... A>
struct input_for<tensor<std::int32_t, A...>> {
    using type = tokens<A...>;
};
}  // namespace detail

/// |found - expected| <= tolerance (1 + max |expected|) of the operation, element by element.
template <class Tensor>
void expect_equal(std::string const& group, std::string const& name, Tensor const& found) {
    using element = typename Tensor::value_type;
    const std::size_t dot = name.find('.');
    const auto expected =
        all().at(group).at("out").at(name.substr(0, dot)).at(name.substr(dot + 1)).template get<std::vector<double>>();
    BOOST_TEST_REQUIRE(expected.size() == found.size(), group << ' ' << name);
    double most = 0, worst = 0;
    for (double v : expected) most = std::max(most, std::fabs(v));
    const double allowed = std::is_same_v<element, float> ? 1e-5 + 2e-5 * most : 1e-10 * (1 + most);
    std::size_t where = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double error = std::fabs(static_cast<double>(found.data()[i]) - expected[i]);
        if (!(error <= worst)) worst = error, where = i;
    }
    BOOST_TEST(worst <= allowed, group << ' ' << name << " (" << sizeof(element) << " bytes), element " << where
                                       << ": expected " << expected[where] << ", found "
                                       << static_cast<double>(found.data()[where]));
}

template <class Real, class F, class... Tensors>
void compare(std::string const& group, std::vector<std::string> const& names, Tensors const&... x) {
    basic_program<Real, program_mode::forward, models<>, F, typename detail::input_for<Tensors>::type...> p;
    p(x...);
    using results = typename decltype(p)::result_type;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        BOOST_TEST_REQUIRE(names.size() == sizeof...(I));
        (expect_equal(group, names[I], p.template result<I>()), ...);
    }(std::make_index_sequence<std::tuple_size_v<results>>{});
}

}  // namespace reference
