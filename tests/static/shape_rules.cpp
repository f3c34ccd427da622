// SPDX-License-Identifier: MIT
// Shape rules, checked by compiling: the set algebra of axes, the concepts, and the result type of every operation.
#include <tenet/op.hpp>

#include <type_traits>

using namespace tenet;

namespace {

struct A : axis<3> {};
struct B : axis<4> {};
struct C : axis<12> {};
struct D : axis<5> {};
struct N : at_most<6> {};
struct M : at_most<6> {};
struct NB : at_most<24> {};
struct Wide : axis<9> {};
struct Part : axis<2> {};
struct Joined : axis<7> {};
struct QKV : axis<3> {};

template <class... X>
using real = symbol<dtype::real, axes<X...>>;
template <class... X>
using mask = symbol<dtype::boolean, axes<X...>>;
template <class... X>
using ids = symbol<dtype::int32, axes<X...>>;

template <class Expected, class Found>
constexpr bool is(Found const&) {
    return std::is_same_v<Expected, Found>;
}
// The type that `f` returns for operands of the types `X...`; nothing is traced.
template <class Expected, class... X, class F>
constexpr bool yields(F) {
    return std::is_same_v<Expected, std::invoke_result_t<F, X...>>;
}

// --- lists of axes ----------------------------------------------------------------------------------------------
static_assert(axes<A, N, B>::rank == 3 && axes<A, N, B>::capacity == 72 && !axes<A, N>::is_static);
static_assert(axes<>::rank == 0 && axes<>::capacity == 1 && axes<>::is_static);
static_assert(shape::contains<A, axes<B, A>> && !shape::contains<C, axes<B, A>>);
static_assert(shape::same_set<axes<A, B>, axes<B, A>> && !shape::same_set<axes<A>, axes<B, A>>);
static_assert(shape::unique<axes<A, B>> && !shape::unique<axes<A, B, A>>);
static_assert(std::is_same_v<shape::minus<axes<A, B, C>, axes<B>>, axes<A, C>>);
static_assert(std::is_same_v<shape::intersection<axes<A, B, C>, axes<C, A>>, axes<A, C>>);
static_assert(std::is_same_v<shape::replace<axes<A, C, B>, C, axes<D, Part>>, axes<A, D, Part, B>>);
static_assert(std::is_same_v<shape::first_missing<axes<A, B>, axes<A>>, B>);
static_assert(std::is_void_v<shape::first_missing<axes<A, B>, axes<B, A>>>);
static_assert(std::is_same_v<shape::first_repeated<axes<B, A, A>>, A> &&
              std::is_void_v<shape::first_repeated<axes<A>>>);
static_assert(shape::index_of<B>(axes<A, B>{}) == 1 && shape::index_of<C>(axes<A, B>{}) == 2);

// --- concepts ---------------------------------------------------------------------------------------------------
static_assert(Axis<A> && Axis<N> && Axis<dim<0, 3>> && !Axis<int>);
static_assert(Broadcastable<axes<A, B>, axes<B, C>> && Broadcastable<axes<>, axes<A>>);
static_assert(Broadcastable<axes<dim<1, 2>, dim<0, 3>>, axes<dim<0, 3>>>);
static_assert(!Broadcastable<axes<dim<1, 2>, dim<0, 3>>, axes<dim<0, 4>>>);
static_assert(Contractible<axes<A, B>, axes<C, B>, B> && !Contractible<axes<A, B>, axes<C>, B>);
static_assert(!Contractible<axes<A>, axes<C, B>, B> && !Contractible<axes<A, B>, axes<B>, B, B>);
static_assert(Reducible<axes<A, B>, A> && Reducible<axes<A, B>> && !Reducible<axes<A>, B> && !Reducible<axes<A>, A, A>);
static_assert(Renameable<N, M> && Renameable<A, QKV> && !Renameable<A, B> && !Renameable<N, Wide>);
static_assert(Splittable<C, A, B> && Splittable<C, B, A> && !Splittable<C, A, A> && !Splittable<NB, N, B>);
static_assert(Operand<real<A>> && Operand<parameter<A>> && Operand<tensor<float, A>> && !Operand<float>);

// --- rules as types ---------------------------------------------------------------------------------------------
static_assert(std::is_same_v<shape::broadcast<axes<A, B>, axes<B>>, axes<A, B>>);
static_assert(std::is_same_v<shape::broadcast<axes<B>, axes<A, B>>, axes<A, B>>);
static_assert(std::is_same_v<shape::broadcast<axes<A, B>, axes<B, A>>, axes<A, B>>);
static_assert(std::is_same_v<shape::broadcast<axes<A, B>, axes<C, B>>, axes<A, B, C>>);
static_assert(std::is_same_v<shape::contraction<axes<N, A, B>, axes<C, B>, axes<B>>, axes<N, A, C>>);
static_assert(std::is_same_v<shape::contraction<axes<N, A, B>, axes<B, N, D>, axes<B>>, axes<N, A, D>>);
static_assert(std::is_same_v<shape::reduction<axes<A, B>, axes<>>, axes<>>);
static_assert(std::is_same_v<shape::reduction<axes<A, N, B>, axes<N>>, axes<A, B>>);

// --- element-wise operations ------------------------------------------------------------------------------------
static_assert(yields<real<A, B>, real<A, B>, real<B>>([](auto x, auto y) { return x + y; }));
static_assert(yields<real<N, A>, real<A>, real<N, A>>([](auto x, auto y) { return x * y; }));
static_assert(yields<real<A, B>, real<A>, real<B>>([](auto x, auto y) { return x / y; }));
static_assert(yields<real<A>, real<A>>([](auto x) { return 2 - x; }));
static_assert(yields<real<A>, mask<A>>([](auto x) { return x * 2.0; }));
static_assert(yields<mask<A, B>, real<A>, real<B>>([](auto x, auto y) { return less(x, y); }));
static_assert(yields<mask<A>, ids<A>>([](auto x) { return equal(x, 3); }));
static_assert(yields<mask<A>, mask<A>, mask<A>>([](auto x, auto y) { return logical_and(x, y); }));
static_assert(yields<real<A, B, N>, mask<A>, real<B>, real<N>>([](auto m, auto x, auto y) { return where(m, x, y); }));
static_assert(yields<real<A>, real<A>>([](auto x) { return clamp(x, 0, 1); }));
static_assert(yields<real<A>, real<A>>([](auto x) { return gelu(x); }));
static_assert(yields<real<A>, parameter<A>>([](auto x) { return exp(x); }));
static_assert(yields<real<A>, real<A>>([](auto x) { return stop_gradient(dropout(x, 0.1)); }));
static_assert(yields<real<A>, ids<A>>([](auto x) { return cast<dtype::real>(x); }));
static_assert(yields<ids<A>, real<A>>([](auto x) { return cast<dtype::int32>(x); }));
static_assert(yields<mask<A>, ids<A>>([](auto x) { return cast<dtype::boolean>(x); }));

// --- reductions and rows ----------------------------------------------------------------------------------------
static_assert(yields<real<>, real<A, N>>([](auto x) { return sum(x); }));
static_assert(yields<real<A>, real<A, N>>([](auto x) { return mean<N>(x); }));
static_assert(yields<real<N>, real<A, N, B>>([](auto x) { return max<A, B>(x); }));
static_assert(yields<real<A>, real<A, N>>([](auto x) { return logsumexp<N>(x); }));
static_assert(yields<ids<N>, real<A, N>>([](auto x) { return argmax<A>(x); }));
static_assert(yields<real<A, N>, real<A, N>>([](auto x) { return softmax<A>(x); }));
static_assert(yields<real<A, N>, real<A, N>, real<A>>([](auto x, auto w) { return rms_norm<A>(x, w); }));
static_assert(yields<real<A, N>, real<A, N>, real<A>, real<A>>([](auto x, auto w, auto b) {
    return layer_norm<A>(x, w, b);
}));

// --- contractions -----------------------------------------------------------------------------------------------
static_assert(yields<real<N, A, C>, real<N, A, B>, real<C, B>>([](auto x, auto y) { return dot<B>(x, y); }));
static_assert(yields<real<N, A, C>, real<N, A, B>, parameter<C, B>>([](auto x, auto y) { return dot<B>(x, y); }));
static_assert(yields<real<>, real<A, B>, real<B, A>>([](auto x, auto y) { return dot<A, B>(x, y); }));
static_assert(yields<real<C, N>, real<N, B>, real<C, B>>([](auto x, auto y) { return einsum<axes<C, N>>(x, y); }));
static_assert(yields<real<dim<1, 2>, dim<0, 4>>, real<dim<1, 2>, dim<0, 3>>, real<dim<1, 3>, dim<0, 4>>>(
    [](auto x, auto y) { return matmul(x, y); }));
static_assert(yields<real<N, B, A>, real<N, B, QKV, A>>([](auto x) { return causal_attention<N, A>(x); }));
static_assert(yields<real<B, N, A>, real<B, N, A>, real<B, M, A>, real<M, B, A>>([](auto q, auto k, auto v) {
    return attention<N, M, A>(q, k, v);
}));
static_assert(yields<real<B, N, A>, real<B, N, A>, real<B, M, A>, real<B, M, A>, ids<B>>(
    [](auto q, auto k, auto v, auto n) { return padded_attention<N, M, A>(q, k, v, n); }));

// --- indexing and rearranging -----------------------------------------------------------------------------------
static_assert(yields<real<N, D, B>, real<A, B>, ids<N, D>>([](auto t, auto i) { return lookup(t, i); }));
static_assert(yields<real<N, D>, real<N, D, B>, ids<N, D>>([](auto x, auto i) { return gather<B>(x, i); }));
static_assert(yields<real<M, N, D>, real<N, D, B>, ids<M, N>>([](auto x, auto i) { return gather<B>(x, i); }));
static_assert(yields<real<N, A>, ids<N>>([](auto i) { return one_hot<A>(i); }));
static_assert(yields<real<A>, real<N, A>>([](auto x) { return positions<A>(x); }));
static_assert(yields<real<>, real<N, A>, ids<N>>([](auto x, auto t) { return cross_entropy<A>(x, t); }));
static_assert(yields<real<D, N>, real<N, A, D>, ids<D, N>>([](auto x, auto t) { return cross_entropy_rows<A>(x, t); }));
static_assert(yields<real<M, A>, real<N, A>>([](auto x) { return rename<N, M>(x); }));
static_assert(yields<ids<N, A, B>, ids<N, C>>([](auto x) { return split<C, A, B>(x); }));
static_assert(yields<real<D, C>, real<D, A, B>>([](auto x) { return merge<C, A, B>(x); }));
static_assert(yields<real<NB, A>, real<B, A, N>>([](auto x) { return merge<NB, B, N>(x); }));
static_assert(yields<real<A, N>, real<A, B, N>>([](auto x) { return select<B, 3>(x); }));
static_assert(yields<real<A, Part, N>, real<A, B, N>>([](auto x) { return slice<B, Part, 2>(x); }));
static_assert(yields<real<Wide, N>, real<B, N>>([](auto x) { return pad<B, Wide, 5>(x); }));
static_assert(yields<real<N, Joined>, real<N, A>, real<B, N>>([](auto x, auto y) {
    return concat<Joined, A, B>(x, y);
}));
static_assert(yields<real<B, N, A>, real<A, B, N>>([](auto x) { return arrange<B, N, A>(x); }));

// --- one mistake is one poison ----------------------------------------------------------------------------------
static_assert(is<poison>(poison{} + 1.0) && is<poison>(softmax<A>(poison{})) && is<poison>(sum(exp(poison{}))));

// --- gradients --------------------------------------------------------------------------------------------------
static_assert(yields<real<A, N>, real<>, real<A, N>>([](auto y, auto x) { return grad(y, x); }));
static_assert(yields<std::tuple<real<A>, real<B>>, real<>, real<A>, parameter<B>>([](auto y, auto x, auto w) {
    return grad(y, x, w);
}));

}  // namespace
