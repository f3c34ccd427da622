// SPDX-License-Identifier: MIT
// program: the parameters of an adapter for a model, laid out by the paths of the weights that it adapts, so that
// their layout depends on no program.
#pragma once

#include <iterator>
#include <string_view>
#include <type_traits>

#include <tenet/base/fixed_string.hpp>
#include <tenet/op/adapter.hpp>
#include <tenet/program/layout.hpp>

namespace tenet {
namespace error {
/// An adapter's target names no parameter of the model.
template <fixed_string Target, class Model>
struct adapter_target_matches_nothing;
}  // namespace error

/// Whether `path` ends in the components of `pattern`: "attn.c_attn.weight" matches "h.*.attn.c_attn.weight".
constexpr bool path_matches(std::string_view pattern, std::string_view path) {
    if (path.size() < pattern.size()) return false;
    const std::size_t start = path.size() - pattern.size();
    return path.substr(start) == pattern && (start == 0 || path[start - 1] == '.');
}

/// The path of the layer that a weight is the weight of: "h.*.attn.c_attn" for "h.*.attn.c_attn.weight"; a weight with
/// another name is a layer of its own.
constexpr std::string_view module_path(std::string_view path) {
    constexpr std::string_view end = ".weight";
    return path.ends_with(end) ? path.substr(0, path.size() - end.size()) : path;
}

/// Collects the parameters that an adapter declares for one weight.
class adapter_declaration {
public:
    constexpr adapter_declaration(list<parameter_leaf>& leaves, std::size_t& elements, parameter_leaf const& weight)
        : leaves_(leaves), elements_(elements), weight_(weight) {}

    /// Adds a parameter called `role` with the given axes; it has as many layers as the weight. Its path is that of the
    /// weight's layer and the role: "h.*.attn.c_attn.lora_A".
    constexpr void add(std::string_view role, list<axis_info const*> const& axes) {
        parameter_leaf l = weight_;
        l.role = path_text{} + role;
        l.adapts = weight_.path;
        l.path = path_text{} + module_path(weight_.path.view());
        l.path = l.path + role;
        l.inputs = 0;
        l.outputs_first = false;
        l.format = storage::plain;
        l.rank = 0;
        l.elements = 1;
        for (axis_info const* a : axes) {
            l.axes[l.rank++] = a;
            l.elements *= a->capacity;
        }
        l.padded = (l.elements + 15) / 16 * 16;
        l.offset = elements_;
        elements_ += l.padded * l.layers();
        leaves_.push_back(l);
    }

private:
    list<parameter_leaf>& leaves_;
    std::size_t& elements_;
    parameter_leaf const& weight_;
};

namespace detail {

template <class Model, class Adapter>
constexpr std::size_t first_unmatched_target() {
    std::size_t i = 0;
    for (std::string_view t : Adapter::targets) {
        bool hit = false;
        for (parameter_leaf const& w : parameter_leaves<Model>) hit = hit || path_matches(t, w.path.view());
        if (!hit) return i;
        ++i;
    }
    return i;
}
// Asked for its type only: a call would be a second error.
template <class Model, class Adapter>
constexpr auto report_unmatched_target() {
    if constexpr (requires { Adapter::targets; }) {
        constexpr std::size_t i = first_unmatched_target<Model, Adapter>();
        if constexpr (i < std::size(Adapter::targets)) {
            constexpr std::string_view target = Adapter::targets[i];
            static_cast<void>(
                sizeof(error::adapter_target_matches_nothing<fixed_string<target.size()>(target), Model>));
        }
    } else {
        Adapter::target_choice::template check<Model>();
    }
}

}  // namespace detail

/// The parameters of `Adapter` for the model type `Model`: a model of its own in a program,
///
///     program<models<gpt, adapter_of<gpt, my_adapter>>, loss, ...>
///     struct loss { constexpr auto operator()(auto const& m, auto const& a, auto x, auto y) const {
///         return cross_entropy<Vocab>(with(a, frozen(m))(x), y); } };
///
/// An adapter is a struct with
///     static constexpr std::string_view targets[]                     paths or ends of paths of weights; or
///     static constexpr bool is_target(parameter_leaf const&)          with a `target_choice` (adapt/targets.hpp)
///     static constexpr void declare(parameter_leaf const& w, adapter_declaration& d)   what it adds to a weight
///     static constexpr graph::value substitute(adapter_site const& s)                  what replaces a contraction
///     static constexpr graph::value substitute_lookup(adapter_site const& s)           and the rows of a table, if any
template <class Model, class Adapter>
struct adapter_of {
    int set = -1;
    int first_slot = 0;

    static constexpr bool is_target(parameter_leaf const& weight) {
        if constexpr (requires { Adapter::targets; }) {
            for (std::string_view t : Adapter::targets)
                if (path_matches(t, weight.path.view())) return true;
            return false;
        } else {
            return Adapter::is_target(weight);
        }
    }
    static constexpr graph::value substitute(adapter_site const& s) {
        return is_target_at(s) ? Adapter::substitute(s) : graph::value{};
    }
    static constexpr graph::value substitute_lookup(adapter_site const& s) {
        if constexpr (requires { Adapter::substitute_lookup(s); })
            return is_target_at(s) ? Adapter::substitute_lookup(s) : graph::value{};
        else return {};
    }
    constexpr void bind_adapter(graph::builder&, int number) { set = number; }

    static constexpr detail::leaf_collector collect() {
        detail::leaf_collector all;
        for (parameter_leaf const& w : parameter_leaves<Model>) {
            if (!is_target(w)) continue;
            adapter_declaration d(all.leaves, all.elements, w);
            Adapter::declare(w, d);
        }
        return all;
    }

    static_assert(std::is_void_v<decltype(detail::report_unmatched_target<Model, Adapter>())>);

private:
    static constexpr bool is_target_at(adapter_site const& s) {
        const auto leaf = static_cast<std::size_t>(s.weight.graph().parameters[static_cast<std::size_t>(s.slot)].leaf);
        return leaf < parameter_leaves<Model>.size() && parameter_leaves<Model>[leaf].path.view() == s.path &&
               is_target(parameter_leaves<Model>[leaf]);
    }
};

}  // namespace tenet
