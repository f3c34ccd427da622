// SPDX-License-Identifier: MIT
// Attention and its gradients against sums in double precision and finite differences of them, over odd sizes, masks,
// padded keys, packed operands and thread counts; the same of attention in bfloat16 products, within their rounding.
#define BOOST_TEST_MODULE attention
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <tuple>
#include <vector>

#include <tenet/base/constant.hpp>
#include <tenet/base/exception.hpp>
#include <tenet/kernel/attention.hpp>
#include <tenet/kernel/attention_backward.hpp>
#include <tenet/kernel/attention_bf16_backward.hpp>
#include <tenet/parallel/threads.hpp>

namespace {

using tenet::kernel::attention_mask;
using tenet::kernel::attention_operand;
using tenet::kernel::attention_saved_size;
using index = std::ptrdiff_t;
using real_types = std::tuple<float, double>;

constexpr index as_index(std::size_t n) {
    return static_cast<index>(n);
}

struct sizes {
    std::size_t B, Tq, S, H, D;
    bool causal = false;
    std::vector<std::int32_t> lengths = {};
    std::size_t capacity = 0;
};

/// [B, time, H, D] in a buffer whose position holds `parts` such rows, of which this is number `part`.
template <class T>
struct operand {
    std::size_t B, time, H, D, parts, part;
    std::vector<T> data;

    operand(std::size_t b, std::size_t t, std::size_t h, std::size_t d, std::size_t of = 1, std::size_t which = 0)
        : B(b), time(t), H(h), D(d), parts(of), part(which), data(b * t * of * h * d, T(-77)) {}
    std::size_t at(std::size_t b, std::size_t t, std::size_t h, std::size_t d) const {
        return (((b * time + t) * parts + part) * H + h) * D + d;
    }
    T& operator()(std::size_t b, std::size_t t, std::size_t h, std::size_t d) { return data[at(b, t, h, d)]; }
    T operator()(std::size_t b, std::size_t t, std::size_t h, std::size_t d) const { return data[at(b, t, h, d)]; }
    attention_operand<T> view() {
        return {data.data() + part * H * D, {as_index(time * parts * H * D), as_index(parts * H * D), as_index(D)}};
    }
    void fill(std::mt19937& engine) {
        std::uniform_real_distribution<T> uniform(T(-1), T(1));
        for (T& x : data) x = uniform(engine);
    }
};

/// The definition, in double precision, with the gradients that it implies for dout.
struct reference {
    operand<double> out, dq, dk, dv;

    template <class T>
    reference(sizes const& n, operand<T> const& q, operand<T> const& k, operand<T> const& v, operand<T> const& dout,
              double scale)
        : out(n.B, n.Tq, n.H, n.D), dq(n.B, n.Tq, n.H, n.D), dk(n.B, n.S, n.H, n.D), dv(n.B, n.S, n.H, n.D) {
        for (operand<double>* x : {&out, &dq, &dk, &dv}) std::fill(x->data.begin(), x->data.end(), 0.0);
        for (std::size_t b = 0; b < n.B; ++b)
            for (std::size_t h = 0; h < n.H; ++h)
                for (std::size_t i = 0; i < n.Tq; ++i) {
                    index visible = n.lengths.empty() ? as_index(n.S) : index{n.lengths[b]};
                    visible = std::clamp<index>(visible, 0, as_index(n.S));
                    if (n.causal) visible = std::min(visible, as_index(i + 1 + n.S) - as_index(n.Tq));
                    const std::size_t keys = visible < 0 ? 0 : static_cast<std::size_t>(visible);
                    std::vector<double> p(keys), dp(keys);
                    double top = -1e300, sum = 0, mean = 0;
                    for (std::size_t j = 0; j < keys; ++j) {
                        double s = 0;
                        for (std::size_t d = 0; d < n.D; ++d) s += double{q(b, i, h, d)} * double{k(b, j, h, d)};
                        p[j] = s * scale;
                        top = std::max(top, p[j]);
                    }
                    for (double& x : p) sum += x = std::exp(x - top);
                    for (std::size_t j = 0; j < keys; ++j) {
                        p[j] /= sum;
                        for (std::size_t d = 0; d < n.D; ++d) {
                            out(b, i, h, d) += p[j] * double{v(b, j, h, d)};
                            dv(b, j, h, d) += p[j] * double{dout(b, i, h, d)};
                            dp[j] += double{dout(b, i, h, d)} * double{v(b, j, h, d)};
                        }
                        mean += p[j] * dp[j];
                    }
                    for (std::size_t j = 0; j < keys; ++j)
                        for (std::size_t d = 0; d < n.D; ++d) {
                            const double ds = p[j] * (dp[j] - mean) * scale;
                            dq(b, i, h, d) += ds * double{k(b, j, h, d)};
                            dk(b, j, h, d) += ds * double{q(b, i, h, d)};
                        }
                }
    }
};

/// Inputs and results of one forward and backward; q, k, v and their gradients are thirds of packed buffers if Tq = S.
template <class T>
struct run {
    sizes n;
    T scale;
    operand<T> q, k, v, out, dout, dq, dk, dv;
    std::vector<T> saved;
    bool rounded = false;  ///< in bfloat16 products
    bool stored = false;   ///< and of operands stored so

    explicit run(sizes const& sizes_, unsigned seed = 1, T scale_ = 0)
        : n(sizes_),
          scale(scale_ != T(0) ? scale_ : T(1) / std::sqrt(static_cast<T>(n.D))),
          q(n.B, n.Tq, n.H, n.D, packed(), 0),
          k(n.B, n.S, n.H, n.D, packed(), packed() / 2),
          v(n.B, n.S, n.H, n.D, packed(), packed() - 1),
          out(n.B, n.Tq, n.H, n.D),
          dout(n.B, n.Tq, n.H, n.D),
          dq(q),
          dk(k),
          dv(v),
          saved(attention_saved_size(n.B, n.Tq, n.capacity == 0 ? n.S : n.capacity, n.H) + 1, T(-55)) {
        std::mt19937 engine(seed);
        for (operand<T>* x : {&q, &k, &v, &dout}) x->fill(engine);
    }
    std::size_t packed() const { return n.Tq == n.S ? 3 : 1; }

    struct narrow {
        std::vector<tenet::bfloat16> data;
        attention_operand<tenet::bfloat16 const> view;

        explicit narrow(operand<float>& x)
            : data(x.data.begin(), x.data.end()),
              view{data.data() + (x.view().data - x.data.data()), x.view().stride} {}
    };

    template <attention_mask Mask>
    void forward(T* to) {
        std::int32_t const* const lengths = n.lengths.empty() ? nullptr : n.lengths.data();
        if constexpr (std::is_same_v<T, float>) {
            if (stored) {
                const narrow short_q(q), short_k(k), short_v(v);
                return tenet::kernel::attention_bf16<Mask, tenet::bfloat16>(n.B, n.Tq, n.S, n.H, n.D, short_q.view,
                                                                            short_k.view, short_v.view, out.view(), to,
                                                                            scale, lengths, n.capacity);
            }
            if (rounded)
                return tenet::kernel::attention_bf16<Mask>(n.B, n.Tq, n.S, n.H, n.D, q.view(), k.view(), v.view(),
                                                           out.view(), to, scale, lengths, n.capacity);
        }
        tenet::kernel::attention<Mask>(n.B, n.Tq, n.S, n.H, n.D, q.view(), k.view(), v.view(), out.view(), to, scale,
                                       lengths, n.capacity);
    }
    template <attention_mask Mask>
    void backward() {
        std::int32_t const* const lengths = n.lengths.empty() ? nullptr : n.lengths.data();
        if constexpr (std::is_same_v<T, float>) {
            if (stored) {
                const narrow short_q(q), short_k(k), short_v(v);
                return tenet::kernel::attention_backward_bf16<Mask, tenet::bfloat16>(
                    n.B, n.Tq, n.S, n.H, n.D, short_q.view, short_k.view, short_v.view, out.view(), dout.view(),
                    dq.view(), dk.view(), dv.view(), saved.data(), scale, lengths, n.capacity);
            }
            if (rounded)
                return tenet::kernel::attention_backward_bf16<Mask>(
                    n.B, n.Tq, n.S, n.H, n.D, q.view(), k.view(), v.view(), out.view(), dout.view(), dq.view(),
                    dk.view(), dv.view(), saved.data(), scale, lengths, n.capacity);
        }
        tenet::kernel::attention_backward<Mask>(n.B, n.Tq, n.S, n.H, n.D, q.view(), k.view(), v.view(), out.view(),
                                                dout.view(), dq.view(), dk.view(), dv.view(), saved.data(), nullptr,
                                                scale, lengths, n.capacity);
    }
    void forward_backward() {
        if (n.causal) {
            forward<attention_mask::causal>(saved.data());
            backward<attention_mask::causal>();
        } else {
            forward<attention_mask::none>(saved.data());
            backward<attention_mask::none>();
        }
    }
};

template <class T>
double difference(operand<T> const& x, operand<double> const& y) {
    double worst = 0;
    for (std::size_t b = 0; b < x.B; ++b)
        for (std::size_t t = 0; t < x.time; ++t)
            for (std::size_t h = 0; h < x.H; ++h)
                for (std::size_t d = 0; d < x.D; ++d) {
                    const double e = std::fabs(double{x(b, t, h, d)} - y(b, t, h, d));
                    if (std::isnan(e)) return 1e30;
                    worst = std::max(worst, e);
                }
    return worst;
}

template <class T>
void check(sizes const& n, T scale = 0) {
    run<T> r(n, 3, scale);
    r.forward_backward();
    const reference expected(n, r.q, r.k, r.v, r.dout, double{r.scale});
    const double tolerance = (sizeof(T) == 4 ? 2e-5 : 2e-13) * std::max(1.0, double{r.scale});
    const std::tuple<char const*, double> errors[] = {{"out", difference(r.out, expected.out)},
                                                      {"dq", difference(r.dq, expected.dq)},
                                                      {"dk", difference(r.dk, expected.dk)},
                                                      {"dv", difference(r.dv, expected.dv)}};
    for (auto const& [name, error] : errors)
        BOOST_TEST(error < tolerance, name << " of B " << n.B << " Tq " << n.Tq << " S " << n.S << " H " << n.H << " D "
                                           << n.D << " causal " << n.causal << " capacity " << n.capacity << ": error "
                                           << error);
    BOOST_TEST(r.saved.back() == T(-55));
    // Without anything saved the result is the same.
    const std::vector<T> before = r.out.data;
    if (n.causal) r.template forward<attention_mask::causal>(nullptr);
    else r.template forward<attention_mask::none>(nullptr);
    double worst = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
        worst = std::max(worst, std::fabs(double{before[i]} - double{r.out.data[i]}));
    BOOST_TEST(worst < tolerance);
}

/// The same in bfloat16 products, of operands that need no rounding: what is left is that of the probabilities and of
/// their gradients, 2^-9 of each, and of the scaled queries. `rounding` is what errors come to in units of that.
double check_rounded(sizes const& n) {
    run<float> r(n, 3, n.D > 8 ? 0.125f : 0.5f);
    r.rounded = true;
    for (operand<float>* x : {&r.q, &r.k, &r.v, &r.dout})
        for (float& value : x->data) value = static_cast<float>(tenet::bfloat16(value));
    r.forward_backward();
    const reference expected(n, r.q, r.k, r.v, r.dout, double{r.scale});
    double worst = 0;
    const auto compare = [&](operand<float> const& x, operand<double> const& y) {
        double largest = 0;
        for (double value : y.data) largest = std::max(largest, std::fabs(value));
        const double error = difference(x, y) / std::max(largest, 0.01);
        worst = std::max(worst, error);
        BOOST_TEST(error < 1.0 / 128, "B " << n.B << " Tq " << n.Tq << " S " << n.S << " D " << n.D << " causal "
                                           << n.causal << " capacity " << n.capacity << ": error " << error);
    };
    compare(r.out, expected.out);
    compare(r.dq, expected.dq);
    compare(r.dk, expected.dk);
    compare(r.dv, expected.dv);
    BOOST_TEST(r.saved.back() == -55.0f);
    // Operands that are stored rounded give the same bits; but a single query of them takes part in the rounding.
    const run<float> before = r;
    r.stored = true;
    r.forward_backward();
    if (n.Tq > 1)
        BOOST_TEST((r.out.data == before.out.data && r.dq.data == before.dq.data && r.dk.data == before.dk.data &&
                    r.dv.data == before.dv.data));
    else compare(r.out, expected.out);
    return worst;
}

}  // namespace

BOOST_AUTO_TEST_CASE(bfloat16_products) {
    double worst = 0;
    for (std::size_t t : {2u, 7u, 16u, 33u, 64u, 65u, 130u, 256u})
        for (std::size_t d : {8u, 17u, 32u, 64u})
            for (bool causal : {false, true}) worst = std::max(worst, check_rounded({2, t, t, 3, d, causal}));
    // Probabilities and their gradients are rounded.
    BOOST_TEST(worst > 1.0 / 4096);
    const std::size_t pairs[][2] = {{1, 65}, {7, 50}, {50, 7}, {70, 3}, {100, 64}, {64, 100}, {129, 65}, {65, 201}};
    for (auto const& [tq, s] : pairs)
        for (bool causal : {false, true}) check_rounded({1, tq, s, 2, 12, causal});
    for (bool causal : {false, true}) {
        check_rounded({5, 100, 100, 2, 16, causal, {100, 99, 3, 0, 50}});
        check_rounded({5, 64, 64, 2, 16, causal, {64, 63, 3, 0, 31}});
        check_rounded({2, 33, 33, 2, 16, causal, {}, 256});
    }
    for (std::size_t d : {1u, 3u, 100u, 300u, 341u, 640u, 1024u})
        for (std::size_t t : {20u, 70u}) check_rounded({1, t, t, 2, d, true});
    check_rounded({1, 90, 1300, 1, 64, false});  // more keys than a head keeps rounded
    check_rounded({1, 90, 1300, 1, 64, true});
}

BOOST_AUTO_TEST_CASE(bits_of_bfloat16_products_do_not_depend_on_threads) {
    for (std::size_t t : {64u, 130u}) {
        const auto results = [&](int threads) {
            run<float> r({6, t, t, 3, 32, true}, 9);
            r.rounded = true;
            tenet::with_threads(threads, [&] { r.forward_backward(); });
            std::vector<float> all = r.out.data;
            for (operand<float> const* x : {&r.dq, &r.dk, &r.dv}) all.insert(all.end(), x->data.begin(), x->data.end());
            return all;
        };
        const std::vector<float> one = results(1);
        BOOST_TEST((one == results(2)));
        BOOST_TEST((one == results(4)));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(self_attention_of_odd_sizes, T, real_types) {
    for (std::size_t t : {1u, 7u, 16u, 33u, 64u, 65u, 130u})
        for (std::size_t d : {4u, 8u, 32u, 40u, 64u})
            for (bool causal : {false, true}) check<T>({2, t, t, 3, d, causal});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(queries_and_keys_of_different_number, T, real_types) {
    const std::size_t pairs[][2] = {{1, 64},   {1, 65},   {1, 5000}, {7, 50},   {50, 7},   {3, 70},  {70, 3},
                                    {100, 64}, {64, 100}, {130, 20}, {20, 130}, {129, 65}, {65, 200}};
    for (auto const& [tq, s] : pairs)
        for (bool causal : {false, true}) check<T>({1, tq, s, 2, 12, causal});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(padded_keys, T, real_types) {
    for (std::size_t t : {5u, 64u, 100u, 192u})
        for (bool causal : {false, true}) {
            const auto some = static_cast<std::int32_t>(t);
            check<T>({5, t, t, 2, 16, causal, {some, some - 1, 3, 0, some / 2}});
            check<T>({2, t, 80, 1, 24, causal, {-4, 1000}});
        }
    check<T>({3, 1, 90, 2, 16, false, {90, 0, 17}});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_capacity_beyond_64_keys_saves_no_probabilities, T, real_types) {
    for (std::size_t t : {1u, 9u, 64u})
        for (bool causal : {false, true}) check<T>({2, t, t, 2, 16, causal, {}, 256});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(heads_of_unusual_size, T, real_types) {
    for (std::size_t d : {1u, 3u, 100u, 300u, 640u, 1024u})
        for (std::size_t t : {20u, 70u}) check<T>({1, t, t, 2, d, true});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(large_scores_do_not_overflow, T, real_types) {
    check<T>({1, 40, 40, 2, 8, true}, T(30));
    check<T>({1, 150, 150, 2, 8, true}, T(30));
    run<T> r({1, 100, 100, 1, 8, false}, 5, T(2000));
    r.forward_backward();
    for (T x : r.out.data) BOOST_TEST(std::isfinite(x));
    for (T x : r.dk.data) BOOST_TEST(std::isfinite(x));
}

BOOST_AUTO_TEST_CASE(the_reference_agrees_with_finite_differences) {
    run<double> r({1, 6, 9, 2, 5, true}, 11);
    r.n.lengths = {8};
    const auto loss = [&] {
        const reference now(r.n, r.q, r.k, r.v, r.dout, r.scale);
        double sum = 0;
        for (std::size_t i = 0; i < now.out.data.size(); ++i) sum += now.out.data[i] * r.dout.data[i];
        return sum;
    };
    const reference exact(r.n, r.q, r.k, r.v, r.dout, r.scale);
    const auto compare = [&](operand<double>& x, operand<double> const& gradient) {
        for (std::size_t i = 0; i < x.data.size(); ++i) {
            const double before = x.data[i], h = 1e-5;
            x.data[i] = before + h;
            const double up = loss();
            x.data[i] = before - h;
            const double down = loss();
            x.data[i] = before;
            BOOST_TEST(std::fabs((up - down) / (2 * h) - gradient.data[i]) < 1e-8);
        }
    };
    compare(r.q, exact.dq);
    compare(r.k, exact.dk);
    compare(r.v, exact.dv);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(bits_do_not_depend_on_threads, T, real_types) {
    for (std::size_t t : {64u, 130u})
        for (bool causal : {false, true}) {
            const auto results = [&](int threads) {
                run<T> r({6, t, t, 3, 32, causal}, 9);
                tenet::with_threads(threads, [&] { r.forward_backward(); });
                std::vector<T> all = r.out.data;
                for (operand<T> const* x : {&r.dq, &r.dk, &r.dv}) all.insert(all.end(), x->data.begin(), x->data.end());
                return all;
            };
            const std::vector<T> one = results(1);
            BOOST_TEST((one == results(2)));
            BOOST_TEST((one == results(4)));
        }
}

BOOST_AUTO_TEST_CASE(packed_thirds_leave_each_other_alone) {
    run<float> r({2, 10, 10, 2, 8, true}, 2);
    r.forward_backward();
    for (std::size_t b = 0; b < 2; ++b)
        for (std::size_t t = 0; t < 10; ++t)
            for (std::size_t h = 0; h < 2; ++h)
                for (std::size_t d = 0; d < 8; ++d) {
                    const std::size_t third = 2 * 8, at = r.dq.at(b, t, h, d);
                    BOOST_TEST(r.dq.data[at + third] == -77.0f);
                    BOOST_TEST(r.dq.data[at + 2 * third] == -77.0f);
                }
}

BOOST_AUTO_TEST_CASE(sizes_may_be_constants) {
    run<float> r({2, 8, 8, 2, 16, true}, 4), s({2, 8, 8, 2, 16, true}, 4);
    r.forward<attention_mask::causal>(r.saved.data());
    tenet::kernel::attention<attention_mask::causal>(
        tenet::constant<2>{}, std::size_t{8}, tenet::constant<8>{}, tenet::constant<2>{}, tenet::constant<16>{},
        s.q.view(), s.k.view(), s.v.view(), s.out.view(), s.saved.data(), s.scale, nullptr);
    BOOST_TEST((r.out.data == s.out.data));
}

BOOST_AUTO_TEST_CASE(too_large_a_head_is_an_error) {
    std::vector<float> x(2000);
    const attention_operand<float> o{x.data(), {1, 1, 1}};
    BOOST_CHECK_EXCEPTION(
        tenet::kernel::attention<attention_mask::none>(std::size_t{1}, std::size_t{1}, std::size_t{1}, std::size_t{1},
                                                       std::size_t{1025}, o, o, o, o, nullptr, 1.0f, nullptr),
        tenet::exception, [](tenet::exception const& e) {
            return std::string(e.what()) == "attention: expected a head of at most 1024 elements, found 1025";
        });
}
