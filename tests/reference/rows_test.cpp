// SPDX-License-Identifier: MIT
// Softmax, normalisation, cross-entropy and attention agree with PyTorch in float and double: logits of 1e4, ignored
// targets, padded keys. Rows of which nothing is seen are zeros by our own definition.
#define BOOST_TEST_MODULE reference_rows
#include "reference.hpp"

#include <limits>

#include <boost/mpl/list.hpp>

using namespace tenet;

namespace {

using numbers = boost::mpl::list<float, double>;
using reference::input;
using reference::with_gradients;

namespace softmaxes {
struct A : axis<4> {};
struct V : axis<9> {};
struct f {
    constexpr auto operator()(auto x, auto d, auto da) const {
        return std::tuple_cat(with_gradients(softmax<V>(x), d, x), with_gradients(log_softmax<V>(x), d, x),
                              with_gradients(softmax<A>(x), d, x), with_gradients(logsumexp<V>(x), da, x));
    }
};
}  // namespace softmaxes

namespace masked {
struct A : axis<3> {};
struct B : axis<6> {};
struct f {
    constexpr auto operator()(auto x, auto lengths) const {
        const auto seen = less(positions<B>(x), lengths);
        return std::make_tuple(arrange<A, B>(softmax<B>(where(seen, x, -std::numeric_limits<double>::infinity()))));
    }
};
}  // namespace masked

namespace norms {
struct A : axis<4> {};
struct B : axis<6> {};
struct f {
    constexpr auto operator()(auto x, auto w, auto b, auto d) const {
        return std::tuple_cat(with_gradients(layer_norm<B>(x, w, b), d, x, w, b),
                              with_gradients(layer_norm<B>(x), d, x), with_gradients(rms_norm<B>(x, w), d, x, w),
                              with_gradients(rms_norm<B>(x), d, x));
    }
};
}  // namespace norms

namespace entropies {
struct N : axis<6> {};
struct V : axis<9> {};
struct f {
    constexpr auto operator()(auto x, auto kept, auto some, auto d) const {
        cross_entropy_options sum_of_all, smoothed, fewer;
        sum_of_all.reduce = reduction::sum;
        smoothed.label_smoothing = fewer.label_smoothing = 0.1;
        fewer.classes = 7;
        const auto scaled = where(less(kept, 7.0), cast<dtype::real>(kept), 6.0);
        return std::tuple_cat(with_gradients(cross_entropy<V>(x, kept), 1.0, x),
                              with_gradients(cross_entropy<V>(x, some), 1.0, x),
                              with_gradients(cross_entropy<V>(x, some, sum_of_all), 1.0, x),
                              with_gradients(cross_entropy<V>(x, some, smoothed), 1.0, x),
                              with_gradients(cross_entropy_rows<V>(x, some), d, x),
                              with_gradients(cross_entropy<V>(x, cast<dtype::int32>(scaled), fewer), 1.0, x));
    }
};
}  // namespace entropies

namespace attentions {
struct B : axis<2> {};
struct T : axis<5> {};
struct K : axis<4> {};
struct H : axis<2> {};
struct D : axis<3> {};
struct QKV : axis<3> {};
struct f {
    constexpr auto operator()(auto q, auto k, auto v, auto m, auto n, auto lengths, auto x, auto d) const {
        return std::tuple_cat(with_gradients(causal_attention<T, D>(q, k, v), d, q, k, v),
                              with_gradients(causal_attention<T, D, QKV>(x), d, x),
                              with_gradients(attention<T, T, D>(q, k, v), d, q, k, v),
                              with_gradients(attention<T, K, D>(q, m, n), d, q, m, n),
                              with_gradients(padded_attention<T, K, D>(q, m, n, lengths), d, q, m, n));
    }
};
}  // namespace attentions

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(softmaxes_of_extreme_rows, Real, numbers) {
    using namespace softmaxes;
    reference::compare<Real, f>("softmaxes",
                                {"softmax.y", "softmax.dx", "log_softmax.y", "log_softmax.dx", "softmax_outer.y",
                                 "softmax_outer.dx", "logsumexp.y", "logsumexp.dx"},
                                input<tensor<Real, A, V>>("softmaxes", "x"),
                                input<tensor<Real, A, V>>("softmaxes", "d"), input<tensor<Real, A>>("softmaxes", "da"));
}
BOOST_AUTO_TEST_CASE_TEMPLATE(softmax_of_masked_rows, Real, numbers) {
    using namespace masked;
    reference::compare<Real, f>("masked", {"softmax.y"}, input<tensor<Real, A, B>>("masked", "x"),
                                input<tensor<std::int32_t, A>>("masked", "lengths"));
}
BOOST_AUTO_TEST_CASE_TEMPLATE(normalisations, Real, numbers) {
    using namespace norms;
    reference::compare<Real, f>(
        "norms",
        {"layer_norm.y", "layer_norm.dx", "layer_norm.dw", "layer_norm.db", "layer_norm_plain.y", "layer_norm_plain.dx",
         "rms_norm.y", "rms_norm.dx", "rms_norm.dw", "rms_norm_plain.y", "rms_norm_plain.dx"},
        input<tensor<Real, A, B>>("norms", "x"), input<tensor<Real, B>>("norms", "w"),
        input<tensor<Real, B>>("norms", "b"), input<tensor<Real, A, B>>("norms", "d"));
}
BOOST_AUTO_TEST_CASE_TEMPLATE(cross_entropies, Real, numbers) {
    using namespace entropies;
    reference::compare<Real, f>(
        "cross_entropy",
        {"mean.y", "mean.dx", "ignored.y", "ignored.dx", "sum.y", "sum.dx", "smoothed.y", "smoothed.dx", "rows.y",
         "rows.dx", "classes.y", "classes.dx"},
        input<tensor<Real, N, V>>("cross_entropy", "x"), input<tensor<std::int32_t, N>>("cross_entropy", "kept"),
        input<tensor<std::int32_t, N>>("cross_entropy", "some"), input<tensor<Real, N>>("cross_entropy", "d"));
}
BOOST_AUTO_TEST_CASE_TEMPLATE(attentions_of_all_kinds, Real, numbers) {
    using namespace attentions;
    reference::compare<Real, f>(
        "attention",
        {"causal.y", "causal.dq", "causal.dk", "causal.dv", "packed.y", "packed.dx", "self.y", "self.dq", "self.dk",
         "self.dv", "cross.y", "cross.dq", "cross.dm", "cross.dn", "padded.y", "padded.dq", "padded.dm", "padded.dn"},
        input<tensor<Real, B, T, H, D>>("attention", "q"), input<tensor<Real, B, T, H, D>>("attention", "k"),
        input<tensor<Real, B, T, H, D>>("attention", "v"), input<tensor<Real, B, K, H, D>>("attention", "m"),
        input<tensor<Real, B, K, H, D>>("attention", "n"), input<tensor<std::int32_t, B>>("attention", "lengths"),
        input<tensor<Real, B, T, QKV, H, D>>("attention", "x"), input<tensor<Real, B, T, H, D>>("attention", "d"));
}
