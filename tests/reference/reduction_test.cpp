// SPDX-License-Identifier: MIT
// Reductions, contractions and what reads by index agree with PyTorch in float and double.
#define BOOST_TEST_MODULE reference_reduction
#include "reference.hpp"

#include <boost/mpl/list.hpp>

using namespace tenet;

namespace {

using numbers = boost::mpl::list<float, double>;
using reference::input;
using reference::with_gradients;

namespace reductions {
struct A : axis<3> {};
struct B : axis<4> {};
struct C : axis<5> {};
struct f {
    constexpr auto operator()(auto x, auto db, auto dac, auto d) const {
        return std::tuple_cat(with_gradients(sum(x), d, x), with_gradients(sum<A, C>(x), db, x),
                              with_gradients(mean<B>(x), dac, x), with_gradients(variance<A, C>(x), db, x),
                              with_gradients(norm<B>(x), dac, x), with_gradients(max<A, C>(x), db, x),
                              with_gradients(min<B>(x), dac, x), with_gradients(logsumexp<A, C>(x), db, x),
                              std::make_tuple(argmax<B>(x)));
    }
};
}  // namespace reductions

namespace contractions {
struct A : axis<2> {};
struct T : axis<3> {};
struct K : axis<5> {};
struct V : axis<4> {};
struct f {
    constexpr auto operator()(auto x, auto w, auto b, auto dw, auto db, auto ds) const {
        return std::tuple_cat(with_gradients(dot<K>(x, w), dw, x, w), with_gradients(dot<K>(x, b), db, x, b),
                              with_gradients(einsum<axes<V, A>>(x, w, b), ds, x, w, b));
    }
};
}  // namespace contractions

namespace indexing {
struct A : axis<3> {};
struct B : axis<6> {};
struct V : axis<5> {};
struct T : axis<2> {};
struct Wide : axis<10> {};
struct Part : axis<2> {};
struct Both : axis<8> {};
struct f {
    constexpr auto operator()(auto x, auto table, auto index, auto along, auto d, auto da, auto dp, auto dc) const {
        return std::tuple_cat(
            with_gradients(lookup(table, index), d, table), with_gradients(gather<B>(x, along), da, x),
            with_gradients(pad<B, Wide, 2>(x, 1.5), dp, x),
            with_gradients(concat<Both, Part, B>(slice<B, Part, 1>(x), x), dc, x),
            with_gradients(select<B, 4>(x), da, x), std::make_tuple(one_hot<V>(index), cast<dtype::int32>(3.0 * x)));
    }
};
}  // namespace indexing

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(reductions_by_name, T, numbers) {
    using namespace reductions;
    reference::compare<T, f>("reductions",
                             {"sum.y", "sum.dx", "sum_ac.y", "sum_ac.dx", "mean_b.y", "mean_b.dx", "variance_ac.y",
                              "variance_ac.dx", "norm_b.y", "norm_b.dx", "max_ac.y", "max_ac.dx", "min_b.y", "min_b.dx",
                              "logsumexp_ac.y", "logsumexp_ac.dx", "argmax_b.y"},
                             input<tensor<T, A, B, C>>("reductions", "x"), input<tensor<T, B>>("reductions", "db"),
                             input<tensor<T, A, C>>("reductions", "dac"), input<tensor<T>>("reductions", "d"));
}
BOOST_AUTO_TEST_CASE_TEMPLATE(contractions_by_name, Real, numbers) {
    using namespace contractions;
    reference::compare<Real, f>(
        "contractions",
        {"dot.y", "dot.dx", "dot.dw", "batched.y", "batched.dx", "batched.db", "einsum.y", "einsum.dx", "einsum.dw",
         "einsum.db"},
        input<tensor<Real, A, T, K>>("contractions", "x"), input<tensor<Real, V, K>>("contractions", "w"),
        input<tensor<Real, A, K, T>>("contractions", "b"), input<tensor<Real, A, T, V>>("contractions", "dw"),
        input<tensor<Real, A, T>>("contractions", "db"), input<tensor<Real, V, A>>("contractions", "ds"));
}
BOOST_AUTO_TEST_CASE_TEMPLATE(indexing_by_name, Real, numbers) {
    using namespace indexing;
    reference::compare<Real, f>(
        "indexing",
        {"lookup.y", "lookup.dtable", "gather.y", "gather.dx", "pad.y", "pad.dx", "concat.y", "concat.dx", "select.y",
         "select.dx", "one_hot.y", "cast.y"},
        input<tensor<Real, A, B>>("indexing", "x"), input<tensor<Real, V, B>>("indexing", "table"),
        input<tensor<std::int32_t, A, T>>("indexing", "index"), input<tensor<std::int32_t, A>>("indexing", "along"),
        input<tensor<Real, A, T, B>>("indexing", "d"), input<tensor<Real, A>>("indexing", "da"),
        input<tensor<Real, A, Wide>>("indexing", "dp"), input<tensor<Real, A, Both>>("indexing", "dc"));
}
