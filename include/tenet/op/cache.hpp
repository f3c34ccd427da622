// SPDX-License-Identifier: MIT
// op: causal attention that remembers. Inside of `cached<Past>(m, start)`, model code stays what it is, but every
// causal attention appends its keys and values to memory that outlives the step, and attends over all that is there.
#pragma once

#include <tenet/op/apply.hpp>

namespace tenet {
namespace error {
/// cached<Past>(m, start, count): start or count is not int32, or count has other axes than start.
template <dtype Found, class Axes>
struct cache_needs_int32_of_each_entry;
/// cached<Past>(m, start): the extent of Past must be a constant.
template <class A>
struct cache_axis_is_not_static;
}  // namespace error

/// A module traced with a cache.
template <class Past, class Module, class Start, class Count>
class cached_module {
public:
    constexpr cached_module(Module const& m, Start start, Count count) : module_(&m), start_(start), count_(count) {}

    template <class... X>
    constexpr auto operator()(X const&... x) const {
        constexpr bool counted = !std::is_same_v<Count, poison>;
        if constexpr ((std::is_same_v<X, poison> || ...) || std::is_same_v<Start, poison>) {
            return poison{};
        } else {
            graph::builder& g = start_.graph();
            graph::scope s = g.scopes.back();
            s.cache_axis = &axis_info_of<Past>;
            s.cache_start = start_.id();
            s.cache_count = -1;
            if constexpr (counted) s.cache_count = count_.id();
            g.scopes.push_back(s);
            auto y = (*module_)(x...);
            g.scopes.pop_back();
            return y;
        }
    }

private:
    Module const* module_;
    Start start_;
    Count count_;
};

namespace detail {

// Checks the arguments of `cached`; a poison stands for an entry count that was not given.
template <class Past, class Module, class Start, class Count>
constexpr auto make_cached(Module const& m, Start start, Count count) {
    if constexpr (std::is_same_v<Start, poison>) {
        return cached_module<Past, Module, poison, poison>(m, start, {});
    } else if constexpr (!Past::is_static) {
        static_cast<void>(sizeof(error::cache_axis_is_not_static<Past>));
        return cached_module<Past, Module, poison, poison>(m, {}, {});
    } else if constexpr (Start::type != dtype::int32) {
        static_cast<void>(sizeof(error::cache_needs_int32_of_each_entry<Start::type, typename Start::axes_type>));
        return cached_module<Past, Module, poison, poison>(m, {}, {});
    } else if constexpr (!std::is_same_v<Count, poison>) {
        if constexpr (Count::type != dtype::int32 ||
                      !shape::same_set<typename Count::axes_type, typename Start::axes_type>) {
            static_cast<void>(sizeof(error::cache_needs_int32_of_each_entry<Count::type, typename Count::axes_type>));
            return cached_module<Past, Module, poison, poison>(m, {}, {});
        } else {
            return cached_module<Past, Module, Start, Count>(m, start, count);
        }
    } else {
        return cached_module<Past, Module, Start, poison>(m, start, {});
    }
}

}  // namespace detail

/// `cached<Past>(m, start)(x...)` traces `m` with a memory of at most `Past` rows in every causal attention: the keys
/// and values of row i of entry b become row start[b] + i, and query i sees the rows 0 .. start[b] + i. `start` is
/// int32 with the batch axes, e.g. [Batch]; so is `count`, which says how many of an entry's rows are new (all, if it
/// is not given): the rest is padding, and its outputs are zeros.
///
///     struct next { constexpr auto operator()(auto const& m, auto tokens, auto positions, auto start) const {
///         return cached<Past>(m, start)(tokens, positions); } };
///     evaluation<gpt2<gpt2_small>, next, tokens<Batch, Time>, tokens<Batch, Time>, tokens<Batch>> step;
///
/// The first step takes a prompt, the following ones a token each; prompts of different lengths are padded on the
/// right. The memory is the program's state (`step.state_bytes`), with the capacity of all batch axes and a part for
/// each layer of a stack. Attention that is not causal is not changed. There is no gradient. Run-time error: an entry
/// that exceeds `Past`.
template <class Past, class Module, class Start>
constexpr auto cached(Module const& m, Start start) {
    return detail::make_cached<Past>(m, start, poison{});
}
template <class Past, class Module, class Start, class Count>
constexpr auto cached(Module const& m, Start start, Count count) {
    return detail::make_cached<Past>(m, start, count);
}

}  // namespace tenet
