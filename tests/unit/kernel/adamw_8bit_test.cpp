// SPDX-License-Identifier: MIT
// AdamW with one byte a moment: against a plain loop over the same data types, and against AdamW itself.
#include "kernel_test.hpp"

#include <tenet/kernel/adamw_8bit.hpp>

using namespace tenet;
using namespace kernel_test;

namespace {

struct moments {
    std::vector<std::uint8_t> m, v;
    std::vector<float> m_scale, v_scale;
    explicit moments(std::size_t n)
        : m(n, kernel::zero_of_m), v(n, kernel::zero_of_v), m_scale((n + 255) / 256), v_scale(m_scale.size()) {}
    bool operator==(moments const&) const = default;
};

kernel::adamw_step step_number(int t) {
    kernel::adamw_step p{1e-2, 0.9, 0.999, 1e-8, 0.1, 1, 1, 0.5};
    p.bias_correction1 = 1 - std::pow(p.beta1, t);
    p.bias_correction2 = 1 - std::pow(p.beta2, t);
    return p;
}

// One step in double; what is stored passes through the maps.
void plain_step(std::vector<double>& w, std::vector<float> const& g, moments& s, kernel::adamw_step const& p) {
    for (std::size_t b = 0; b < s.m_scale.size(); ++b) {
        const std::size_t begin = 256 * b, end = std::min(w.size(), begin + 256);
        std::vector<double> m, v;
        double m_most = 0, v_most = 0;
        for (std::size_t i = begin; i < end; ++i) {
            const double x = double{g[i]} * p.grad_scale;
            m.push_back(p.beta1 * double{kernel::signed_dynamic_map[s.m[i]]} * double{s.m_scale[b]} +
                        (1 - p.beta1) * x);
            v.push_back(p.beta2 * double{kernel::unsigned_dynamic_map[s.v[i]]} * double{s.v_scale[b]} +
                        (1 - p.beta2) * x * x);
            m_most = std::max(m_most, std::abs(m.back()));
            v_most = std::max(v_most, v.back());
            w[i] -= p.lr * p.weight_decay * w[i];
            w[i] -= p.lr / p.bias_correction1 * m.back() / (std::sqrt(v.back() / p.bias_correction2) + p.eps);
        }
        s.m_scale[b] = static_cast<float>(m_most);
        s.v_scale[b] = static_cast<float>(v_most);
        for (std::size_t i = begin; i < end; ++i) {
            std::uint8_t code =
                kernel::nearest_code(kernel::signed_dynamic_map, static_cast<float>(m[i - begin] / m_most));
            if (m[i - begin] < 0 && code == kernel::zero_of_m) --code;
            s.m[i] = code;
            s.v[i] = kernel::nearest_code(kernel::unsigned_dynamic_map, static_cast<float>(v[i - begin] / v_most));
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(finding_a_code) {
    const kernel::detail::code_finder to_signed(kernel::signed_dynamic_map), to_unsigned(kernel::unsigned_dynamic_map);
    auto x = random_vector<float>(20000, 1);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] *= std::pow(10.0f, -static_cast<float>(i % 10));
    for (float v : kernel::signed_dynamic_map)
        for (float y : {v, std::nextafter(v, 2.0f), std::nextafter(v, -2.0f)}) x.push_back(y);
    for (float v : kernel::unsigned_dynamic_map)
        for (float y : {v, std::nextafter(v, 2.0f), std::nextafter(v, -2.0f)}) x.push_back(y);
    for (float y : {0.0f, -0.0f, 1.0f, -1.0f, 1.0001f, 3.0f, -3.0f, 1e-30f, -1e-30f}) x.push_back(y);
    bool equal = true;
    for (float y : x) {
        equal = equal && to_signed(y) == kernel::nearest_code(kernel::signed_dynamic_map, y);
        equal = equal && to_unsigned(y) == kernel::nearest_code(kernel::unsigned_dynamic_map, y);
    }
    BOOST_TEST(equal);
}

BOOST_AUTO_TEST_CASE(steps_as_defined) {
    for (std::size_t n : {1u, 255u, 256u, 1000u}) {
        auto w = random_vector<float>(n, 1);
        std::vector<double> want = widened(w);
        moments got(n), plain(n);
        for (int t = 1; t <= 5; ++t) {
            auto g = random_vector<float>(n, static_cast<unsigned>(10 + t));
            for (std::size_t i = 0; i < n; ++i) g[i] *= i % 3 == 0 ? 1e-3f : 1.0f;
            kernel::adamw_8bit(w.data(), g.data(), got.m.data(), got.m_scale.data(), got.v.data(), got.v_scale.data(),
                               n, step_number(t));
            plain_step(want, g, plain, step_number(t));
            // A moment half-way between two codes may fall to either in float and in double: few do.
            std::size_t differ = 0;
            for (std::size_t i = 0; i < n; ++i) differ += got.m[i] != plain.m[i] || got.v[i] != plain.v[i];
            BOOST_TEST(differ <= n / 300);
            plain = got;
            BOOST_TEST(largest_error(w, want) < 1e-5);
            want = widened(w);
        }
    }
}

BOOST_AUTO_TEST_CASE(close_to_adamw) {
    const std::size_t n = 5000;
    auto w = random_vector<float>(n, 1), full = w;
    std::vector<float> m(n), v(n);
    moments state(n);
    for (int t = 1; t <= 20; ++t) {
        const auto g = random_vector<float>(n, static_cast<unsigned>(t), -1, 1.5);
        kernel::adamw_8bit(w.data(), g.data(), state.m.data(), state.m_scale.data(), state.v.data(),
                           state.v_scale.data(), n, step_number(t));
        kernel::adamw(full.data(), g.data(), m.data(), v.data(), n, step_number(t));
    }
    double difference = 0, moved = 0;
    const auto start = random_vector<float>(n, 1);
    for (std::size_t i = 0; i < n; ++i) {
        difference += std::abs(double{w[i]} - double{full[i]});
        moved += std::abs(double{full[i]} - double{start[i]});
    }
    BOOST_TEST(difference < 0.03 * moved);
    BOOST_TEST(difference > 0);
}

BOOST_AUTO_TEST_CASE(the_same_bits_on_any_number_of_threads) {
    const std::size_t n = 100000;
    const auto run = [&] {
        auto w = random_vector<float>(n, 1);
        moments state(n);
        for (int t = 1; t <= 2; ++t) {
            const auto g = random_vector<float>(n, static_cast<unsigned>(t));
            kernel::adamw_8bit(w.data(), g.data(), state.m.data(), state.m_scale.data(), state.v.data(),
                               state.v_scale.data(), n, step_number(t));
        }
        return std::pair(w, state);
    };
    BOOST_TEST((with_threads(1, run) == with_threads(4, run)));
}
