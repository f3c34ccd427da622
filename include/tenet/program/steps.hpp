// SPDX-License-Identifier: MIT
// program: the executor. The plan's steps are unrolled into direct calls; a loop over layers is a loop.
#pragma once

#include <utility>

#include <tenet/program/execute.hpp>

namespace tenet::detail {

template <class P, int Begin, int End>
void run_range(run_context<P>& c);

template <class P, int S>
TENET_INLINE void run_step(run_context<P>& c) {
    constexpr graph::step s = P::image.steps[static_cast<std::size_t>(S)];
    if constexpr (s.what == graph::step_kind::node) {
        run_node<P, s.id>(c);
    } else if constexpr (s.what == graph::step_kind::group) {
        if constexpr (is_product_group<P, s.id>) run_product_group<P, s.id>(c);
        else loop_of_group<P, s.id>::run(c);
    } else if constexpr (s.what == graph::step_kind::loop_begin) {
        constexpr graph::region r = P::image.regions[static_cast<std::size_t>(s.id)];
        for (int j = 0; j < r.trips; ++j) {
            c.iteration[static_cast<std::size_t>(r.family)] = j;
            c.index[static_cast<std::size_t>(r.family)] = r.reversed ? r.trips - 1 - j : j;
            run_range<P, S + 1, s.match>(c);
        }
    }
}

// The steps of [Begin, End) at this depth: those inside of loops are run by the loops.
template <class P, int Begin, int End>
consteval auto steps_at_depth() {
    struct list {
        int count = 0;
        int at[static_cast<std::size_t>(End - Begin + 1)] = {};
    } l;
    for (int s = Begin; s < End; ++s) {
        graph::step const& step = P::image.steps[static_cast<std::size_t>(s)];
        l.at[l.count++] = s;
        if (step.what == graph::step_kind::loop_begin) s = step.match;
    }
    return l;
}

template <class P, int Begin, int End>
void run_range(run_context<P>& c) {
    static constexpr auto list = steps_at_depth<P, Begin, End>();
    // An array of pointers would be indirect calls; expanding into initialisers keeps them direct, and is not bounded
    // by the number of operands that a fold may have.
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        const int done[] = {0, (run_step<P, list.at[I]>(c), 0)...};
        static_cast<void>(done);
    }(std::make_index_sequence<static_cast<std::size_t>(list.count)>{});
}

/// Runs the whole program.
template <class P>
void run_steps(run_context<P>& c) {
    run_range<P, 0, static_cast<int>(P::image.steps.size())>(c);
}

}  // namespace tenet::detail
