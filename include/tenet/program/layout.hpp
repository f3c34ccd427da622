// SPDX-License-Identifier: MIT
// program: the parameters of a model type, found by reflection over its members: names, axes and places, known
// without a program. The order is that of the declaration.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tenet/base/list.hpp>

#include <tenet/base/reflect.hpp>
#include <tenet/op/module.hpp>

namespace tenet {

/// A path of member names in a constant expression.
struct path_text {
    char text[120] = {};
    std::size_t length = 0;

    constexpr std::string_view view() const { return {text, length}; }
    constexpr path_text operator+(std::string_view more) const {
        path_text joined = *this;
        if (joined.length > 0 && !more.empty()) joined.text[joined.length++] = '.';
        for (char c : more) {
            if (joined.length == sizeof text) throw "a parameter's path is longer than 120 characters";
            joined.text[joined.length++] = c;
        }
        return joined;
    }
};

/// A parameter of a model type; one that is in a stack stands for all its layers.
struct parameter_leaf {
    path_text path;  ///< "h.*.attn.c_attn.weight"
    axis_info const* axes[graph::max_rank] = {};
    int rank = 0;
    int inputs = 0;              ///< how many axes a linear layer contracts; 0 elsewhere
    bool outputs_first = false;  ///< they are the last axes, as in PyTorch's [out, in], and not the first
    std::size_t offset = 0;      ///< in elements, in the parameter block
    std::size_t elements = 0;    ///< of one layer
    std::size_t padded = 0;      ///< of one layer, a multiple of a cache line
    int levels = 0;              ///< stacks around it
    int trips[4] = {};           ///< layers of each, outermost first
    int stack = -1;              ///< the innermost one, in the order of declaration
    storage format = storage::plain;
    std::size_t columns = 0;  ///< of the matrix, where it is stored in fewer bits
    path_text role, adapts;   ///< of an adapter's parameter

    constexpr std::size_t layers() const {
        std::size_t n = 1;
        for (int k = 0; k < levels; ++k) n *= static_cast<std::size_t>(trips[k]);
        return n;
    }
};

namespace detail {

template <class X>
inline constexpr bool is_stack = false;
template <class B, int N>
inline constexpr bool is_stack<stack<B, N>> = true;
template <class X>
inline constexpr bool is_checkpoint = false;
template <class B>
inline constexpr bool is_checkpoint<checkpoint<B>> = true;
template <class X>
inline constexpr bool is_std_array = false;
template <class X, std::size_t N>
inline constexpr bool is_std_array<std::array<X, N>> = true;

constexpr std::string_view index_text(std::size_t i) {
    constexpr std::string_view digits =
        "0123456789101112131415161718192021222324252627282930313233343536373839404142"
        "43444546474849505152535455565758596061626364";
    if (i < 10) return digits.substr(i, 1);
    if (i > 64) throw "an array of modules has at most 65 elements; use a stack";
    return digits.substr(10 + (i - 10) * 2, 2);
}

/// In place of a path where nobody asks for it: building paths is what costs most in binding a model.
struct no_path {
    constexpr no_path operator+(std::string_view) const { return {}; }
};

/// Calls `leaf(parameter, path, surroundings)` for every parameter of `module`, and `enter(stack)` for every stack.
struct surroundings {
    int levels = 0;
    int trips[4] = {};
    int stack = -1;
    int inputs = 0;
    bool outputs_first = false;
};

template <class M>
constexpr int contracted_axes() {
    if constexpr (requires { M::contracted_axes; }) return M::contracted_axes;
    else return 0;
}
template <class M>
constexpr bool outputs_first() {
    if constexpr (requires { M::outputs_first; }) return M::outputs_first;
    else return false;
}

template <class M, class Path, class Visitor>
constexpr void visit(M& module, Path const& path, surroundings const& around, Visitor& visitor) {
    using plain = std::remove_const_t<M>;
    if constexpr (is_parameter<plain>) {
        visitor.leaf(module, path, around);
    } else if constexpr (requires { typename plain::stored_model; }) {
        // The same members, stored otherwise.
        using inner =
            std::conditional_t<std::is_const_v<M>, typename plain::stored_model const, typename plain::stored_model>;
        visit(static_cast<inner&>(module), path, around, visitor);
    } else if constexpr (is_stack<plain>) {
        surroundings inner = around;
        if (around.levels == 4) throw "stacks nest at most 4 deep";
        inner.trips[inner.levels++] = plain::layers;
        inner.stack = visitor.enter(module);
        visit(module.body, path + "*", inner, visitor);
    } else if constexpr (is_checkpoint<plain>) {
        visit(module.body, path, around, visitor);
    } else if constexpr (is_std_array<plain>) {
        for (std::size_t i = 0; i < module.size(); ++i) visit(module[i], path + index_text(i), around, visitor);
    } else if constexpr (std::is_class_v<plain>) {
        static_assert(std::is_aggregate_v<plain>,
                      "a module must be an aggregate: public members, no constructors, no base classes");
        static_assert(std::is_empty_v<plain> || member_count<plain>() > 0);
        if constexpr (requires { visitor.module(std::type_identity<plain>{}, path); })
            visitor.module(std::type_identity<plain>{}, path);
        if constexpr (!std::is_empty_v<plain>) {
            surroundings inner = around;
            inner.inputs = contracted_axes<plain>();
            inner.outputs_first = outputs_first<plain>();
            std::size_t i = 0;
            apply_to_members(module, [&](auto&... member) {
                (visit(member, path + member_names<plain>[i++], inner, visitor), ...);
            });
        }
    } else {
        static_assert(!std::is_pointer_v<plain> && !std::is_array_v<plain>,
                      "a module's members are modules, parameters, std::arrays of modules and plain numbers");
    }
}

struct leaf_collector {
    list<parameter_leaf> leaves{};
    std::size_t elements = 0;
    int stacks = 0;
    bool literals = false;

    template <class S>
    constexpr int enter(S const&) {
        return stacks++;
    }
    template <class... A>
    constexpr void leaf(parameter<A...> const& p, path_text const& path, surroundings const& around) {
        parameter_leaf l;
        l.path = path;
        if (p.name() != nullptr) {
            // A literal stands for the member's own name.
            std::size_t cut = 0;
            for (std::size_t i = 0; i < path.length; ++i)
                if (path.text[i] == '.') cut = i;
            l.path = path_text{};
            l.path = l.path + path.view().substr(0, cut);
            l.path = l.path + std::string_view(p.name());
        }
        // Members of a struct cannot share a name; only literals can make two paths equal.
        literals = literals || p.name() != nullptr;
        if (literals)
            for (parameter_leaf const& other : leaves)
                if (other.path.view() == l.path.view()) throw "two parameters of a model have the same name";
        ((l.axes[l.rank++] = &axis_info_of<A>), ...);
        l.inputs = around.inputs;
        l.outputs_first = around.outputs_first;
        l.elements = axes<A...>::capacity;
        l.padded = (l.elements + 15) / 16 * 16;
        l.levels = around.levels;
        for (int k = 0; k < 4; ++k) l.trips[k] = around.trips[k];
        l.stack = around.stack;
        l.offset = elements;
        elements += l.padded * l.layers();
        leaves.push_back(l);
    }
};

template <class M>
constexpr leaf_collector collect_leaves() {
    if constexpr (requires { M::collect(); }) {
        return M::collect();
    } else {
        leaf_collector all;
        M m{};
        visit(m, path_text{}, surroundings{}, all);
        return all;
    }
}

}  // namespace detail

/// A model type some of whose weights are stored in fewer bits (adapt/quantized.hpp).
template <class M>
concept QuantizedModel = requires { typename M::stored_model; };

/// The parameters of the model type `M`, in the order of declaration.
template <class M>
inline constexpr auto parameter_leaves = [] {
    constexpr std::size_t n = detail::collect_leaves<M>().leaves.size();
    std::array<parameter_leaf, n> all{};
    const auto found = detail::collect_leaves<M>();
    for (std::size_t i = 0; i < n; ++i) all[i] = found.leaves[i];
    return all;
}();

/// Elements of the parameter block of `M`, padding included.
template <class M>
inline constexpr std::size_t parameter_elements = detail::collect_leaves<M>().elements;

/// Number of parameters of the model type `M`, e.g. 124,439,808 for GPT-2.
template <class M>
inline constexpr std::size_t parameter_count = [] {
    std::size_t n = 0;
    for (parameter_leaf const& l : parameter_leaves<M>) n += l.elements * l.layers();
    return n;
}();

/// The name of layer `index` (counted over all stacks around it) of a leaf: '*' becomes the layer's number.
inline std::string leaf_name(parameter_leaf const& leaf, std::size_t index) {
    std::size_t at[4] = {};
    for (int k = leaf.levels - 1; k >= 0; --k) {
        at[k] = index % static_cast<std::size_t>(leaf.trips[k]);
        index /= static_cast<std::size_t>(leaf.trips[k]);
    }
    std::string name;
    int level = 0;
    for (char c : leaf.path.view())
        if (c == '*') name += std::to_string(at[level++]);
        else name += c;
    return name;
}

}  // namespace tenet
