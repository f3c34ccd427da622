// SPDX-License-Identifier: MIT
// kernel/optimizer against scalar steps in double; norms in an order of their own; any number of threads.
#define BOOST_TEST_MODULE kernel_optimizer
#include "kernel_test.hpp"

#include <tenet/kernel/optimizer.hpp>

using namespace kernel_test;
namespace kernel = tenet::kernel;

namespace {

const std::vector<std::size_t> sizes{0, 1, 7, 16, 17, 65, 384, 1000, 70001};

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(adamw_steps, T, numbers) {
    for (std::size_t n : sizes) {
        const auto start = random_vector<T>(n, 1);
        auto w = widened(start), m = std::vector<double>(n), v = m;
        std::vector<T> first(n), second(n);
        const auto got = on_any_threads([&] {
            auto x = start;
            first.assign(n, T(0));
            second.assign(n, T(0));
            for (int t = 1; t <= 3; ++t) {
                const auto g = random_vector<T>(n, static_cast<unsigned>(10 + t));
                kernel::adamw(x.data(), g.data(), first.data(), second.data(), n,
                              {.lr = 0.01,
                               .beta1 = 0.9,
                               .beta2 = 0.95,
                               .eps = 1e-8,
                               .weight_decay = 0.1,
                               .bias_correction1 = 1 - std::pow(0.9, t),
                               .bias_correction2 = 1 - std::pow(0.95, t),
                               .grad_scale = 0.5});
            }
            return x;
        });
        for (int t = 1; t <= 3; ++t) {
            const auto g = random_vector<T>(n, static_cast<unsigned>(10 + t));
            for (std::size_t i = 0; i < n; ++i) {
                const double d = 0.5 * static_cast<double>(g[i]);
                w[i] -= 0.01 * 0.1 * w[i];
                m[i] = 0.9 * m[i] + 0.1 * d;
                v[i] = 0.95 * v[i] + 0.05 * d * d;
                const double root = std::sqrt(v[i]) / std::sqrt(1 - std::pow(0.95, t)) + 1e-8;
                w[i] -= 0.01 / (1 - std::pow(0.9, t)) * m[i] / root;
            }
        }
        BOOST_TEST(largest_error(got, w) <= 2 * tolerance<T>);
        BOOST_TEST(largest_error(first, m) <= 2 * tolerance<T>);
        BOOST_TEST(largest_error(second, v) <= 2 * tolerance<T>);
    }
}

BOOST_AUTO_TEST_CASE(a_zero_gradient_moves_nothing_but_the_decay) {
    std::vector<float> w(20, 1.0f), g(20, 0.0f), m(20, 0.0f), v(20, 0.0f);
    kernel::adamw(w.data(), g.data(), m.data(), v.data(), w.size(),
                  {.lr = 0.5, .weight_decay = 0.5, .bias_correction1 = 0.1, .bias_correction2 = 0.001});
    for (float x : w) BOOST_TEST(x == 0.75f);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(sgd_steps, T, numbers) {
    for (std::size_t n : sizes)
        for (int kind : {0, 1, 2}) {  // plain, momentum, Nesterov
            const auto start = random_vector<T>(n, 1);
            auto w = widened(start), velocity = std::vector<double>(n);
            const auto got = on_any_threads([&] {
                auto x = start;
                std::vector<T> moving(n, T(0));
                for (unsigned t = 1; t <= 3; ++t)
                    kernel::sgd_momentum(x.data(), random_vector<T>(n, t).data(), kind == 0 ? nullptr : moving.data(),
                                         n, 0.1, 0.9, kind == 2, 0.01, 2.0);
                return x;
            });
            for (unsigned t = 1; t <= 3; ++t) {
                const auto g = random_vector<T>(n, t);
                for (std::size_t i = 0; i < n; ++i) {
                    const double d = 2.0 * static_cast<double>(g[i]) + 0.01 * w[i];
                    velocity[i] = 0.9 * velocity[i] + d;
                    w[i] -= 0.1 * (kind == 0 ? d : kind == 1 ? velocity[i] : d + 0.9 * velocity[i]);
                }
            }
            BOOST_TEST(largest_error(got, w) <= 4 * tolerance<T>);
        }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(norms_and_scaling, T, numbers) {
    for (std::size_t n : sizes) {
        const auto g = random_vector<T>(n, 1);
        double want = 0;
        for (T x : g) want += static_cast<double>(x) * static_cast<double>(x);
        const auto got = on_any_threads([&] { return std::vector<double>{kernel::sum_of_squares(g.data(), n)}; });
        BOOST_TEST(largest_error(got, {want}) <= 1e-13);
        const auto scaled = on_any_threads([&] {
            auto x = g;
            kernel::scale(x.data(), n, 0.25);
            return x;
        });
        for (std::size_t i = 0; i < n; ++i) BOOST_TEST(scaled[i] == g[i] * T(0.25));
    }
    // Squares that float cannot hold.
    const std::vector<float> large(100, 1e30f);
    BOOST_TEST(kernel::sum_of_squares(large.data(), large.size()) == 1e62, boost::test_tools::tolerance(1e-6));
}
