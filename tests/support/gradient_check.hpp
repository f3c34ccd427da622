// SPDX-License-Identifier: MIT
// Numeric gradients: a function of tensors is compiled as a program in double and its gradients are compared with
// central differences, for every element of every real input. `penalised` does the same for second derivatives.
#pragma once

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <tuple>
#include <utility>

#include <tenet/op.hpp>
#include <tenet/program.hpp>

namespace gradient_check {

using namespace tenet;

namespace detail {
template <class... A, std::size_t... I>
constexpr auto phase(auto y, axes<A...>, std::index_sequence<I...>) {
    return ((positions<A>(y) * (0.4 + 0.37 * static_cast<double>(I))) + ... + 0.5);
}
}  // namespace detail

/// A scalar that every element of `y` enters with a coefficient of its own, and squared, so that neither a permutation
/// nor a missing factor goes unnoticed.
template <dtype T, class... A>
constexpr auto project(symbol<T, axes<A...>> y) {
    if constexpr (sizeof...(A) == 0) return y * (0.7 + 0.3 * y);
    else return sum(y * (sin(detail::phase(y, axes<A...>{}, std::index_sequence_for<A...>{})) + 0.3 * y));
}

/// The sum of the projections of several results.
constexpr auto project_all(auto... y) {
    return (project(y) + ...);
}

/// f(x...) plus a multiple of the squared norm of its gradient: its gradient needs the second derivatives of f.
template <class F>
struct penalised {
    constexpr auto operator()(auto... x) const {
        const auto loss = F{}(x...);
        return with_gradients(loss, std::tuple_cat(real_only(x)...));
    }

private:
    template <dtype T, class L>
    static constexpr auto real_only(symbol<T, L> x) {
        if constexpr (T == dtype::real) return std::tuple<symbol<T, L>>{x};
        else return std::tuple<>{};
    }
    static constexpr auto with_gradients(auto loss, auto real) {
        return std::apply(
            [&](auto... x) {
                if constexpr (sizeof...(x) == 1) {
                    const auto g = grad(loss, x...);
                    return loss + 0.1 * sum(g * g);
                } else {
                    return loss + 0.1 * std::apply([](auto... g) { return (sum(g * g) + ...); }, grad(loss, x...));
                }
            },
            real);
    }
};

namespace detail {
template <class Tensor>
struct input_for;
template <class... A>
struct input_for<tensor<double, A...>> {
    using type = variable<A...>;
};
template <class... A>
struct input_for<tensor<std::int32_t, A...>> {
    using type = tokens<A...>;
};
template <class... A>
struct input_for<tensor<bool, A...>> {
    using type = booleans<A...>;
};
}  // namespace detail

/// The program of `F` with gradients by all real inputs.
template <class F, program_mode Mode, class... Tensors>
using program_for = basic_program<double, Mode, models<>, F, typename detail::input_for<Tensors>::type...>;

/// Uniform random numbers; run-time extents as for a tensor.
template <class Tensor, class... E>
Tensor uniform(unsigned seed, double low, double high, E... extents) {
    Tensor t(extents...);
    std::mt19937 engine(seed);
    std::uniform_real_distribution<double> draw(low, high);
    for (double& v : t) v = draw(engine);
    return t;
}

/// Uniform random indices below `limit`.
template <class Tensor, class... E>
Tensor indices(unsigned seed, std::int32_t limit, E... extents) {
    Tensor t(extents...);
    std::mt19937 engine(seed);
    std::uniform_int_distribution<std::int32_t> draw(0, limit - 1);
    for (std::int32_t& v : t) v = draw(engine);
    return t;
}

/// Compares the gradients of F at `x...` with central differences: |difference| <= tolerance max(1, |gradient|,
/// |f|/100), the last term because differences of f carry the rounding errors of f.
template <class F, program_mode Mode = program_mode::gradients, class... Tensors>
void expect_gradients(char const* what, Tensors... x) {
    BOOST_TEST_CONTEXT(what) {
        program_for<F, Mode, Tensors...> p;
        p.set_random_state(7, 3);
        std::tuple<Tensors&...> all(x...);
        const double value = p.value_and_grad(x...);
        BOOST_TEST(std::isfinite(value));
        const auto one_input = [&]<std::size_t I>(std::integral_constant<std::size_t, I>, auto const& gradient) {
            auto& t = std::get<I>(all);
            double worst = 0, expected = 0, found = 0;
            std::size_t where = 0;
            for (std::size_t i = 0; i < t.size(); ++i) {
                const double at = t.data()[i], step = 1e-5;
                t.data()[i] = at + step;
                const double above = p(x...);
                t.data()[i] = at - step;
                const double below = p(x...);
                t.data()[i] = at;
                const double numeric = (above - below) / (2 * step), analytic = gradient.data()[i];
                const double scale = std::fmax(1, std::fmax(std::fabs(numeric), std::fabs(value) / 100));
                const double error = std::fabs(numeric - analytic) / scale;
                if (!(error <= worst)) worst = error, expected = numeric, found = analytic, where = i;
            }
            BOOST_TEST(worst <= 1e-6, "input " << I << ", element " << where << ": expected " << expected
                                               << " (central difference), found " << found);
        };
        const auto gradients = [&]<std::size_t... I>(std::index_sequence<I...>) {
            return std::tuple_cat([&]<std::size_t K>(std::integral_constant<std::size_t, K> k) {
                if constexpr (std::is_same_v<typename std::tuple_element_t<K, std::tuple<Tensors...>>::value_type,
                                             double>)
                    return std::make_tuple(std::make_pair(k, p.template input_gradient<K>()));
                else return std::tuple<>{};
            }(std::integral_constant<std::size_t, I>{})...);
        }(std::index_sequence_for<Tensors...>{});
        std::apply([&](auto const&... g) { (one_input(g.first, g.second), ...); }, gradients);
    }
}

/// First and second derivatives at once: see `penalised`.
template <class F, class... Tensors>
void expect_both_orders(char const* what, Tensors... x) {
    expect_gradients<penalised<F>>(what, x...);
}

}  // namespace gradient_check
