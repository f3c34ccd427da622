// SPDX-License-Identifier: MIT
// program: what all kinds of nodes need when they run: further results, places that gather sums, errors of indices.
#pragma once

#include <string>

#include <tenet/base/exception.hpp>
#include <tenet/program/context.hpp>

namespace tenet::detail {

using graph::axis_list;
using graph::kind;

/// The axes of a list before, in and after a run, which stands together in it.
struct split_axes {
    axis_list before, run, after;
};
constexpr split_axes split_around(axis_list const& all, axis_list const& run) {
    split_axes s;
    bool seen = false;
    for (int i = 0; i < all.rank; ++i) {
        const bool in = run.contains(all[i]);
        seen = seen || in;
        (in ? s.run : seen ? s.after : s.before).push(all[i]);
    }
    return s;
}

/// Whether products of program `P` may round their operands.
template <class P>
inline constexpr bool mixes_precision = !std::is_same_v<typename P::spec::product_type, typename P::spec::real_type>;

/// The node that lies at the `which`-th further result of node `Id`, or -1.
template <class P, int Id>
constexpr int result_of(int which) {
    for (std::size_t i = 0; i < P::image.nodes.size(); ++i) {
        graph::node const& n = P::image.nodes[i];
        if (n.op == kind::output && n.input[0] == Id && n.integer[0] == which) return static_cast<int>(i);
    }
    return -1;
}
template <class P, int Id, int Which>
auto* result_address(run_context<P> const& c) {
    constexpr int id = result_of<P, Id>(Which);
    if constexpr (id < 0) return static_cast<typename P::spec::real_type*>(nullptr);
    else return address<P, id>(c);
}

/// Whether what node `Id` computes is added to what lies there (a gradient that another use has begun).
template <class P, int Id>
bool accumulates([[maybe_unused]] run_context<P> const& c) {
    constexpr int sink = P::image.nodes[Id].op == kind::sink ? Id : P::image.direct_sink[Id];
    if constexpr (sink < 0) {
        return false;
    } else {
        constexpr graph::node s = P::image.nodes[sink];
        if constexpr (s.mode == graph::sink_mode::store) return false;
        else if constexpr (s.mode == graph::sink_mode::add) return true;
        else {
            // Stored in the first iteration of the loops that are not over the parameter's own layers.
            constexpr graph::location l = P::image.locations[sink];
            for (int r = s.region; r >= 0; r = P::image.regions[static_cast<std::size_t>(r)].parent) {
                graph::region const& loop = P::image.regions[static_cast<std::size_t>(r)];
                if (!loop.loop) continue;
                bool own = false;
                for (int k = 0; k < l.level_count; ++k) own = own || l.levels[k].family == loop.family;
                if (!own && c.iteration[static_cast<std::size_t>(loop.family)] != 0) return true;
            }
            return false;
        }
    }
}

template <class P, int Id>
[[noreturn]] void bad_index(std::string const& what, long long found, std::size_t limit) {
    fail_expectation(what, "an index from 0 to " + std::to_string(limit - 1), std::to_string(found));
}

}  // namespace tenet::detail
