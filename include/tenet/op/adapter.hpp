// SPDX-License-Identifier: MIT
// op: adapters replace the contraction with a parameter, or the look-up of its rows, found by the parameter's path,
// while a model is traced. The model is never rewritten. `with(adapter, model)` opens the scope in which one applies.
#pragma once

#include <string_view>

#include <tenet/op/parameter.hpp>

namespace tenet {

/// What an adapter is told about the use of a weight that it may change.
struct adapter_site {
    graph::value input;           ///< x; of a look-up the numbers of the rows
    graph::value weight;          ///< the parameter, frozen or not
    graph::value plain;           ///< the contraction of both, or the rows
    graph::axis_list contracted;  ///< the axes summed over; none of a look-up
    std::string_view path;        ///< e.g. "h.*.attn.c_attn.weight"
    int slot = -1;                ///< the weight's place in the table of parameters
    int adapter_set = -1;         ///< the parameter set of the adapter

    /// The adapter's parameter called `role` at this weight; its layout was made from the adapter's declaration.
    constexpr graph::value parameter(std::string_view role, graph::axis_list const& axes) const;
};

namespace detail {

constexpr graph::value adapter_parameter(graph::builder& g, adapter_site const& site, std::string_view role,
                                         graph::axis_list const& axes) {
    for (std::size_t i = 0; i < g.parameters.size(); ++i) {
        graph::parameter_slot const& p = g.parameters[i];
        if (p.set != site.adapter_set || p.role != role || p.adapts != site.path) continue;
        graph::node n;
        n.op = graph::kind::parameter;
        n.integer[0] = static_cast<int>(i);
        n.axes = axes;
        n.packed = g.is_static(axes);
        n.region = graph::stored(site.weight).get().region;
        n.frozen = g.scopes.back().adapter_frozen;
        return {g, g.emit(n)};
    }
    g.fail(graph::failure::adapter_has_no_parameter, role);
    return graph::constant(g, 0);
}

template <class Symbol, class X, class W>
constexpr Symbol substitute(graph::value (*rule)(adapter_site const&), Symbol plain, X const& x, W const& weight,
                            graph::axis_list const& contracted) {
    graph::builder& g = plain.graph();
    if (rule == nullptr) return plain;
    adapter_site site;
    if constexpr (is_parameter<X>) site.input = x.symbolic().value();
    else site.input = x.value();
    site.weight = weight.symbolic().value();
    site.plain = plain.value();
    site.contracted = contracted;
    site.path = g.parameters[static_cast<std::size_t>(weight.slot())].path;
    site.slot = weight.slot();
    site.adapter_set = g.scopes.back().adapter_set;
    const graph::value v = rule(site);
    return v.exists() ? typed<Symbol::type, typename Symbol::axes_type>(v) : plain;
}

template <class Symbol, class X, class W, class... K>
constexpr Symbol adapt(Symbol plain, X const& x, W const& weight, axes<K...>) {
    graph::builder& g = plain.graph();
    return substitute(g.scopes.back().substitute, plain, x, weight, axis_ids<axes<K...>>::in(g));
}
template <class Symbol, class Index, class W>
constexpr Symbol adapt_lookup(Symbol rows, Index const& index, W const& weight) {
    return substitute(rows.graph().scopes.back().substitute_lookup, rows, index, weight, graph::axis_list{});
}

}  // namespace detail

constexpr graph::value adapter_site::parameter(std::string_view role, graph::axis_list const& axes) const {
    return detail::adapter_parameter(input.graph(), *this, role, axes);
}

}  // namespace tenet
