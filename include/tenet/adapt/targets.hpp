// SPDX-License-Identifier: MIT
// adapt: which weights of a model an adapter takes: by path, by the type of the module around them, or all linear
// layers. Decided at compile time; a choice that takes nothing is a compile error.
#pragma once

#include <string_view>
#include <type_traits>

#include <tenet/base/fixed_string.hpp>
#include <tenet/program/adapter.hpp>
#include <tenet/program/parameter_role.hpp>

namespace tenet {
namespace error {
/// inside<Module>: the model has no module of this type with a linear layer in it.
template <class Module, class Model>
struct adapter_module_not_in_model;
/// per_axis<A, ...>: the weight's outputs do not begin with the axis A.
template <class A, fixed_string Target, class Model>
struct adapter_axis_not_first_output;
}  // namespace error

namespace detail {

/// Whether `pattern` is a run of whole components of `path`: "attn" of "h.*.attn.c_proj".
constexpr bool has_components(std::string_view path, std::string_view pattern) {
    for (std::size_t at = path.find(pattern); at != std::string_view::npos; at = path.find(pattern, at + 1)) {
        const std::size_t end = at + pattern.size();
        if ((at == 0 || path[at - 1] == '.') && (end == path.size() || path[end] == '.')) return true;
    }
    return false;
}

/// A layer is taken by its own name, whatever it is; by the name of a module around it if it is linear.
constexpr bool names_leaf(std::string_view pattern, parameter_leaf const& leaf) {
    const parameter_role role = role_of(leaf);
    if (role != parameter_role::matrix && role != parameter_role::table) return false;
    const std::string_view path = leaf.path.view(), layer = module_path(path);
    return path_matches(pattern, path) || path_matches(pattern, layer) ||
           (role == parameter_role::matrix && has_components(layer, pattern));
}

template <class Module>
struct module_collector {
    list<path_text> paths{};
    template <class S>
    constexpr int enter(S const&) {
        return 0;
    }
    template <class... A>
    constexpr void leaf(parameter<A...> const&, path_text const&, surroundings const&) {}
    template <class M>
    constexpr void module(std::type_identity<M>, path_text const& path) {
        if constexpr (std::is_same_v<M, Module>) paths.push_back(path);
    }
};

template <class Model, class Module>
constexpr bool is_inside(parameter_leaf const& leaf) {
    if (role_of(leaf) != parameter_role::matrix) return false;
    module_collector<Module> found;
    Model m{};
    visit(m, path_text{}, surroundings{}, found);
    const std::string_view path = leaf.path.view();
    for (path_text const& p : found.paths)
        if (p.length == 0 || (path.starts_with(p.view()) && path.size() > p.length && path[p.length] == '.'))
            return true;
    return false;
}

template <class Model, fixed_string Pattern>
constexpr bool names_some_leaf() {
    for (parameter_leaf const& leaf : parameter_leaves<Model>)
        if (names_leaf(Pattern.view(), leaf)) return true;
    return false;
}
// Reported once, as every mistake: an undefined template of this name.
template <class Model, fixed_string Pattern>
constexpr void require_named() {
    if constexpr (!names_some_leaf<Model, Pattern>())
        static_cast<void>(sizeof(error::adapter_target_matches_nothing<Pattern, Model>));
}

/// The first of a linear weight's output axes.
constexpr axis_info const* first_output(parameter_leaf const& leaf) {
    return leaf.axes[leaf.outputs_first ? 0 : leaf.inputs];
}

template <class Model, class A, fixed_string Pattern>
constexpr bool axis_is_first() {
    for (parameter_leaf const& leaf : parameter_leaves<Model>)
        if (names_leaf(Pattern.view(), leaf) && (leaf.inputs == 0 || first_output(leaf) != &axis_info_of<A>))
            return false;
    return true;
}
template <class Model, class A, fixed_string Pattern>
constexpr void require_first_output() {
    if constexpr (!axis_is_first<Model, A, Pattern>())
        static_cast<void>(sizeof(error::adapter_axis_not_first_output<A, Pattern, Model>));
}

}  // namespace detail

/// Layers by name: the end of a path ("c_attn", "attn.c_attn", "wte"), or a module in it, which takes all linear layers
/// inside ("attn"). PEFT: target_modules.
template <fixed_string... Patterns>
struct targets {
    template <class Model>
    static constexpr bool matches(parameter_leaf const& leaf) {
        return (detail::names_leaf(Patterns.view(), leaf) || ...);
    }
    template <class Model>
    static constexpr axis_info const* parts_of(parameter_leaf const&) {
        return nullptr;
    }
    template <class Model>
    static constexpr void check() {
        static_assert(sizeof...(Patterns) > 0, "targets<...>: name at least one layer");
        (detail::require_named<Model, Patterns>(), ...);
    }
};

/// The same, with an adapter of its own for each index of the axis `A`, which must be the first output axis:
/// `per_axis<QKV, "c_attn">` adapts queries, keys and values of a fused projection apart. microsoft/LoRA: MergedLinear.
template <class A, fixed_string... Patterns>
struct per_axis {
    template <class Model>
    static constexpr bool matches(parameter_leaf const& leaf) {
        return (detail::names_leaf(Patterns.view(), leaf) || ...);
    }
    template <class Model>
    static constexpr axis_info const* parts_of(parameter_leaf const& leaf) {
        return matches<Model>(leaf) ? &axis_info_of<A> : nullptr;
    }
    template <class Model>
    static constexpr void check() {
        (detail::require_named<Model, Patterns>(), ...);
        (detail::require_first_output<Model, A, Patterns>(), ...);
    }
};

/// All linear layers inside of modules of the type `Module`.
template <class Module>
struct inside {
    template <class Model>
    static constexpr bool matches(parameter_leaf const& leaf) {
        return detail::is_inside<Model, Module>(leaf);
    }
    template <class Model>
    static constexpr axis_info const* parts_of(parameter_leaf const&) {
        return nullptr;
    }
    template <class Model>
    static constexpr bool found() {
        for (parameter_leaf const& leaf : parameter_leaves<Model>)
            if (matches<Model>(leaf)) return true;
        return false;
    }
    template <class Model>
    static constexpr void check() {
        if constexpr (!found<Model>()) static_cast<void>(sizeof(error::adapter_module_not_in_model<Module, Model>));
    }
};

/// All linear layers. PEFT: target_modules="all-linear".
struct all_linear {
    template <class Model>
    static constexpr bool matches(parameter_leaf const& leaf) {
        return role_of(leaf) == parameter_role::matrix;
    }
    template <class Model>
    static constexpr axis_info const* parts_of(parameter_leaf const&) {
        return nullptr;
    }
    template <class Model>
    static constexpr void check() {}
};

/// What any of the choices takes.
template <class... Choices>
struct any_of {
    template <class Model>
    static constexpr bool matches(parameter_leaf const& leaf) {
        return (Choices::template matches<Model>(leaf) || ...);
    }
    template <class Model>
    static constexpr axis_info const* parts_of(parameter_leaf const& leaf) {
        axis_info const* part = nullptr;
        ((part = part == nullptr ? Choices::template parts_of<Model>(leaf) : part), ...);
        return part;
    }
    template <class Model>
    static constexpr void check() {
        (Choices::template check<Model>(), ...);
    }
};

}  // namespace tenet
