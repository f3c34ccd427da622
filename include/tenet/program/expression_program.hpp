// SPDX-License-Identifier: MIT
// program: an expression as a program, and its run: the same graph, planner and kernels as of any program.
#pragma once

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include <tenet/program/expression_leaves.hpp>
#include <tenet/program/program.hpp>

namespace tenet::detail {

/// The symbol of a part of the expression `Root` whose first leaf is number `Offset`.
template <class Root, bool Shared, std::size_t Offset, class X>
struct lower_node {
    template <class Symbols>
    static constexpr auto run(Symbols const& s) {
        constexpr std::size_t k = Shared ? sharing_of<Root>.representative[Offset] : Offset;
        return std::get<k>(s);
    }
};
template <class Root, bool Shared, std::size_t Offset, class F, class... X>
struct lower_node<Root, Shared, Offset, expression<F, X...>> {
    static constexpr std::array<std::size_t, sizeof...(X) + 1> starts = [] {
        std::array<std::size_t, sizeof...(X) + 1> at{};
        const std::size_t sizes[] = {std::tuple_size_v<leaves_of<X>>...};
        std::size_t offset = Offset;
        for (std::size_t i = 0; i < sizeof...(X); ++i) {
            at[i] = offset;
            offset += sizes[i];
        }
        return at;
    }();
    template <class Symbols>
    static constexpr auto run(Symbols const& s) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return F{}(lower_node<Root, Shared, starts[I], X>::run(s)...);
        }(std::index_sequence_for<X...>{});
    }
};

/// The function of a program that computes the expression type `E`, its axes in the order of `Axes`.
template <class E, bool Shared, class Axes>
struct expression_function {
    static constexpr bool external_outputs = true;
    template <class... S>
    constexpr auto operator()(S... symbols) const {
        const std::tuple<S...> all{symbols...};
        const auto y = lower_node<E, Shared, 0, E>::run(all);
        using result = std::remove_const_t<decltype(y)>;
        return symbol<result::type, Axes>(graph::arrange(graph::in_memory(y.value()), axis_ids<Axes>::in(y.graph())));
    }
};

template <class Leaf, class Wanted>
struct input_for;
template <class T, class... A, class... W>
struct input_for<leaf<tensor<T, A...>>, std::tuple<W...>> {
    static constexpr bool wanted = (std::is_same_v<tensor<T, A...>, W> || ...);
    using type = program_input<symbol_for<leaf<tensor<T, A...>>>::type::type, wanted, A...>;
};
template <class T, class Wanted>
struct input_for<number<T>, Wanted> {
    using type = program_input<dtype::real, false>;
};

template <class E, bool Shared, class Axes, program_mode Mode, class Wanted, class Leaves = leaves_of<E>>
struct expression_program_of;
template <class E, bool Shared, class Axes, program_mode Mode, class Wanted, class... X>
struct expression_program_of<E, Shared, Axes, Mode, Wanted, std::tuple<X...>> {
    using type = program_code<program_spec<expression_real<E>, Mode, models<>, expression_function<E, Shared, Axes>,
                                           typename input_for<X, Wanted>::type...>>;
};

/// The arena of an expression's program: allocated once a thread.
template <class P>
std::byte* expression_arena() {
    thread_local const aligned_array<std::byte> arena = allocate<std::byte>(P::image.arena_bytes);
    return arena.get();
}

template <class P, std::size_t I, class X, class Real>
void bind_leaf(run_context<P>& c, X const& x, Real& slot) {
    if constexpr (is_leaf<X>) {
        c.inputs[I] = reinterpret_cast<std::byte const*>(x.get().data());
        [&]<class T, class... A>(tensor<T, A...> const& t) {
            (bind_extent<A>(c, t.template extent<A>()), ...);
        }(x.get());
    } else {
        slot = static_cast<Real>(x.value);
        c.inputs[I] = reinterpret_cast<std::byte const*>(&slot);
    }
}

/// Runs the program `P` of an expression; `place(context)` gives the results' memory once the extents are known.
template <class P, class E, class Place>
void run_expression(E const& e, Place place) {
    using real = typename P::real_type;
    constexpr std::size_t n = std::tuple_size_v<leaves_of<E>>;
    run_context<P> c;
    c.arena = expression_arena<P>();
    std::array<real, n> numbers{};
    const auto leaves = leaf_pointers(e);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (bind_leaf<P, I>(c, *std::get<I>(leaves), numbers[I]), ...);
    }(std::make_index_sequence<n>{});
    derive_extents(c);
    place(c);
    run_steps<P>(c);
}

/// Whether every leaf that the shared plan identifies with another one is the same tensor or number.
template <class E>
bool sharing_holds(E const& e) {
    constexpr sharing const& s = sharing_of<E>;
    const auto leaves = leaf_pointers(e);
    bool holds = true;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (
            [&] {
                constexpr std::size_t r = s.representative[I];
                if constexpr (r != I) {
                    auto const &a = *std::get<I>(leaves), &b = *std::get<r>(leaves);
                    if constexpr (is_leaf<std::remove_cvref_t<decltype(a)>>)
                        holds = holds && a.get().data() == b.get().data();
                    else holds = holds && a.value == b.value;
                }
            }(),
            ...);
    }(std::make_index_sequence<std::tuple_size_v<leaves_of<E>>>{});
    return holds;
}

/// Calls `f.template operator()<Shared>()` with the plan that fits.
template <class E, class F>
decltype(auto) with_plan(E const& e, F&& f) {
    if constexpr (sharing_of<E>.any) {
        if (sharing_holds(e)) return f.template operator()<true>();
    }
    return f.template operator()<false>();
}

// Whether the target may be written while the leaves are read: one element-wise loop in the target's own order.
template <class P, class Target, class E>
bool may_write_in_place(E const& e, void const* target) {
    constexpr bool one_loop = P::image.steps.size() == 1 && P::image.steps[0].what == graph::step_kind::group;
    bool safe = true;
    std::apply(
        [&](auto const*... x) {
            (
                [&] {
                    using X = std::remove_cvref_t<decltype(*x)>;
                    if constexpr (is_leaf<X>) {
                        if (x->get().data() == target)
                            safe = safe && one_loop && std::is_same_v<typename X::tensor_type, Target>;
                    }
                }(),
                ...);
        },
        leaf_pointers(e));
    return safe;
}

}  // namespace tenet::detail
