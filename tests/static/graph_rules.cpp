// SPDX-License-Identifier: MIT
// The graph under construction, checked by compiling: merging of equal nodes, folding of numbers, orders of axes,
// contractions that need no copy of an operand.
#include <tenet/graph.hpp>
#include <tenet/shape.hpp>

using namespace tenet;
using namespace tenet::graph;

namespace {

struct A : axis<3> {};
struct B : axis<4> {};
struct C : axis<5> {};
struct D : axis<6> {};
struct N : at_most<7> {};

template <class... X>
constexpr axis_list list_of(builder& g) {
    axis_list l;
    (l.push(g.axis_id(&axis_info_of<X>)), ...);
    return l;
}
template <class... X>
constexpr value leaf(builder& g, int number) {
    node n;
    n.op = kind::input;
    n.integer[0] = number;
    n.axes = list_of<X...>(g);
    return {g, g.emit(n)};
}
constexpr int count_of(builder const& g, kind op) {
    int n = 0;
    for (node const& x : g.nodes) n += x.op == op;
    return n;
}

constexpr bool equal_nodes_are_one() {
    builder g;
    const value x = leaf<A>(g, 0), y = leaf<A>(g, 1), again = leaf<A>(g, 0);
    return x.id() == again.id() && x.id() != y.id() && (x * y).id() == (x * y).id() && (x * y).id() != (y * x).id() &&
           own_copy(x).id() != own_copy(x).id() && constant(g, 2).id() == constant(g, 2).id() &&
           constant(g, 2).id() != constant(g, 3).id();
}
static_assert(equal_nodes_are_one());

// What is computed in a loop is not at hand outside of it; what is computed outside is at hand in it.
constexpr bool merging_respects_loops() {
    builder g;
    const value x = leaf<A>(g, 0);
    const value outside = x * x;
    g.open_loop(3, -1, false);
    const value inside = x + x;
    const bool seen = (x * x).id() == outside.id() && (x + x).id() == inside.id();
    g.close_region();
    return seen && (x + x).id() != inside.id();
}
static_assert(merging_respects_loops());

constexpr bool numbers_fold() {
    builder g;
    const value x = leaf<A>(g, 0);
    const auto number = [](value v) { return v.get().op == kind::constant ? v.get().number[0] : -1; };
    return (x + 0.0).id() == x.id() && (0.0 + x).id() == x.id() && (x * 1.0).id() == x.id() &&
           (x / 1.0).id() == x.id() && (x - 0.0).id() == x.id() && number(constant(g, 2) * 3.0) == 6 &&
           number(constant(g, 2) - 5.0 + 4.0) == 1 && number(-constant(g, -2)) == 2;
}
static_assert(numbers_fold());

constexpr bool axes_of_a_broadcast() {
    builder g;
    return broadcast_axes(list_of<B>(g), list_of<A, B>(g)) == list_of<A, B>(g) &&
           broadcast_axes(list_of<A, B>(g), list_of<B, A>(g)) == list_of<A, B>(g) &&
           broadcast_axes(list_of<A, B>(g), list_of<C, B>(g)) == list_of<A, B, C>(g) &&
           broadcast_axes(list_of<>(g), list_of<A>(g)) == list_of<A>(g) &&
           minus(list_of<A, B, C>(g), list_of<B>(g)) == list_of<A, C>(g);
}
static_assert(axes_of_a_broadcast());

// Neighbouring axes are reduced at once; a sum over others in two steps, an extremum after putting them together.
constexpr bool reductions_in_runs() {
    builder g;
    const value x = leaf<A, B, C>(g, 0);
    const bool sums = reduce_sum(x, list_of<C, B>(g)).axes() == list_of<A>(g) && count_of(g, kind::reduce_sum) == 1 &&
                      reduce_sum(x, list_of<A, C>(g)).axes() == list_of<B>(g) && count_of(g, kind::reduce_sum) == 3 &&
                      count_of(g, kind::copy) == 0;
    return sums && reduce_max(x, list_of<A, C>(g)).axes() == list_of<B>(g) && count_of(g, kind::reduce_max) == 1 &&
           count_of(g, kind::copy) == 1;
}
static_assert(reductions_in_runs());

// Which axes meet is said by name: none of the usual layouts needs a copy, forward or backward.
template <class X, class Y, class Z>
struct layout;
template <class... X, class... Y, class... Z>
struct layout<axes<X...>, axes<Y...>, axes<Z...>> {
    static constexpr int copies() {
        builder g;
        const value x = leaf<X...>(g, 0), y = leaf<Y...>(g, 1), dz = leaf<Z...>(g, 2);
        contract(x, y, list_of<Z...>(g));
        contract(dz, y, x.axes());
        contract(x, dz, y.axes());
        return count_of(g, kind::copy);
    }
};
static_assert(layout<axes<A, B>, axes<B, C>, axes<A, C>>::copies() == 0);
static_assert(layout<axes<A, B>, axes<C, B>, axes<A, C>>::copies() == 0);
static_assert(layout<axes<B, A>, axes<B, C>, axes<A, C>>::copies() == 0);
static_assert(layout<axes<N, A, B>, axes<C, B>, axes<N, A, C>>::copies() == 0);
static_assert(layout<axes<N, A, B>, axes<B, C, D>, axes<N, A, C, D>>::copies() == 0);
static_assert(layout<axes<N, A, C, D>, axes<C, D, B>, axes<N, A, B>>::copies() == 0);
static_assert(layout<axes<N, A, B>, axes<N, C, B>, axes<N, A, C>>::copies() == 0);

// A part of a part looks into the first memory; a part that is whole again is dense.
constexpr bool parts_are_not_copied() {
    builder g;
    const value x = leaf<A, B, C>(g, 0);
    const value row = select(x, g.axis_id(&axis_info_of<A>), 1), column = select(x, g.axis_id(&axis_info_of<C>), 1);
    const value element = select(row, g.axis_id(&axis_info_of<B>), 2);
    return row.axes() == list_of<B, C>(g) && dense(row).id() == row.id() && dense(column).id() != column.id() &&
           element.get().input[0] == x.id() && dense(element).id() == element.id() &&
           reshape(x, list_of<A, B, C>(g)).id() == x.id();
}
static_assert(parts_are_not_copied());

}  // namespace
